from __future__ import annotations

import pytest
from django.db import IntegrityError
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddConstraint

from lists.models import Item, List

pytestmark = pytest.mark.django_db


def test_items_come_in_the_order_in_which_they_were_added() -> None:
    to_do = List.objects.create()
    for text in ("second letter: b", "a", "c"):
        to_do.items.create(text=text)
    assert [str(item) for item in to_do.items.all()] == ["second letter: b", "a", "c"]


def test_a_list_has_an_address_of_its_own() -> None:
    one, other = List.objects.create(), List.objects.create()
    assert one.get_absolute_url() == f"/lists/{one.pk}/"
    assert one.get_absolute_url() != other.get_absolute_url()


def test_a_list_says_which_it_is() -> None:
    assert str(List(pk=7)) == "List 7"


def test_the_database_refuses_a_duplicate_in_a_list() -> None:
    to_do = List.objects.create()
    to_do.items.create(text="milk")
    with pytest.raises(IntegrityError, match=r"UNIQUE.*lists_item\.list_id, lists_item\.text"):
        to_do.items.create(text="milk")


def test_the_same_item_may_stand_in_two_lists() -> None:
    for to_do in (List.objects.create(), List.objects.create()):
        to_do.items.create(text="milk")
    assert Item.objects.filter(text="milk").count() == 2


def test_the_constraint_arrives_in_a_migration_of_its_own() -> None:
    migration = MigrationLoader(None).get_migration("lists", "0003_item_once_per_list")
    assert [type(operation) for operation in migration.operations] == [AddConstraint]
    assert migration.dependencies == [("lists", "0002_item")]
