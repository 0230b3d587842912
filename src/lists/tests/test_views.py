from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils.html import escape

from lists.forms import DUPLICATE_ITEM, EMPTY_ITEM
from lists.models import Item, List

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db


def test_home_shows_a_box(client: Client) -> None:
    page = client.get("/").content.decode()
    assert '<input type="text" name="text"' in page


def test_the_first_item_starts_a_list_and_leads_to_it(client: Client) -> None:
    response = client.post("/", {"text": "milk"})
    to_do = List.objects.get()
    assert response.status_code == 302
    assert response["Location"] == to_do.get_absolute_url()
    assert [item.text for item in to_do.items.all()] == ["milk"]


def test_an_empty_first_item_starts_no_list(client: Client) -> None:
    page = client.post("/", {"text": " "}).content.decode()
    assert EMPTY_ITEM in page
    assert List.objects.count() == 0


def test_a_list_shows_its_own_items_numbered(client: Client) -> None:
    to_do, other = List.objects.create(), List.objects.create()
    to_do.items.create(text="milk")
    to_do.items.create(text="bread")
    other.items.create(text="a secret")
    page = client.get(to_do.get_absolute_url()).content.decode()
    assert page.index('<span class="number">1</span><span class="text">milk</span>') < page.index(
        '<span class="number">2</span><span class="text">bread</span>'
    )
    assert "a secret" not in page


def test_another_item_goes_into_the_list_that_is_open(client: Client) -> None:
    to_do, _other = List.objects.create(), List.objects.create()
    response = client.post(to_do.get_absolute_url(), {"text": "bread"})
    assert response["Location"] == to_do.get_absolute_url()
    assert Item.objects.get().list == to_do


def test_a_duplicate_is_refused_and_what_was_typed_stays_in_the_box(client: Client) -> None:
    to_do = List.objects.create()
    to_do.items.create(text="milk")
    page = client.post(to_do.get_absolute_url(), {"text": "milk"}).content.decode()
    assert DUPLICATE_ITEM in page
    assert 'value="milk"' in page
    assert to_do.items.count() == 1


def test_what_visitors_type_is_never_markup(client: Client) -> None:
    nasty = "<script>alert('hello')</script>"
    page = client.post("/", {"text": nasty}, follow=True).content.decode()
    assert nasty not in page
    assert escape(nasty) in page


@pytest.mark.parametrize("address", ["/lists/1/", "/lists/99999999999999999999/", "/nosuch"])
def test_an_unknown_address_is_not_found_in_the_site_s_own_words(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_a_post_from_another_site_is_refused() -> None:
    assert Client(enforce_csrf_checks=True).post("/", {"text": "milk"}).status_code == 403


def test_a_post_from_our_own_page_passes_over_plain_http() -> None:
    client = Client(enforce_csrf_checks=True)
    client.get("/")
    data = {"text": "milk", "csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    response = client.post("/", data, headers={"origin": "http://testserver"})
    assert response.status_code == 302


def test_health_asks_the_database_once(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        response = client.get("/health")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_health_is_never_cached(client: Client) -> None:
    assert "no-store" in client.get("/health")["Cache-Control"]


def test_health_says_so_when_the_database_does_not_answer(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> bool:
        raise OperationalError("no such table: lists_item")

    monkeypatch.setattr(Item.objects, "exists", refuse)
    response = client.get("/health")
    assert response.status_code == 503
    assert response.content == b"the database does not answer\n"
    assert "no such table: lists_item" in caplog.text


def test_health_answers_to_reading_only(client: Client) -> None:
    assert client.post("/health").status_code == 405
