from __future__ import annotations

import pytest

from lists.forms import DUPLICATE_ITEM, EMPTY_ITEM, ItemForm
from lists.models import List

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_item_is_refused(text: str) -> None:
    form = ItemForm(to_do=List(), data={"text": text})
    assert form.errors == {"text": [EMPTY_ITEM]}


def test_a_duplicate_in_the_same_list_is_refused() -> None:
    to_do = List.objects.create()
    to_do.items.create(text="milk")
    form = ItemForm(to_do=to_do, data={"text": "milk "})
    assert form.errors == {"text": [DUPLICATE_ITEM]}


def test_the_same_item_is_welcome_in_another_list() -> None:
    List.objects.create().items.create(text="milk")
    assert ItemForm(to_do=List.objects.create(), data={"text": "milk"}).is_valid()


def test_saving_puts_the_item_into_its_list() -> None:
    to_do = List.objects.create()
    form = ItemForm(to_do=to_do, data={"text": "milk"})
    assert form.is_valid()
    assert form.save() == to_do.items.get(text="milk")


def test_a_new_list_is_saved_with_its_first_item_and_not_before() -> None:
    form = ItemForm(to_do=List(), data={"text": "milk"})
    assert form.is_valid()
    assert List.objects.count() == 0
    assert form.save().list == List.objects.get()


def test_the_browser_is_asked_to_refuse_an_empty_box() -> None:
    assert "required" in str(ItemForm(to_do=List())["text"])


def test_a_screen_reader_is_told_which_message_belongs_to_the_box() -> None:
    box = str(ItemForm(to_do=List(), data={"text": ""})["text"])
    assert 'aria-invalid="true"' in box
    assert 'aria-describedby="id_text_error"' in box
