"""What is not a thing to do is not taken, and the visitor is told why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functional_tests.pages import HomePage

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

EMPTY_ITEM = "An item needs some text"
DUPLICATE_ITEM = "This is already in your list"


@pytest.mark.live_safe
def test_the_browser_keeps_an_empty_item_back(browser: Chrome, site_url: str) -> None:
    # Mira presses Enter before she has typed anything.
    home = HomePage(browser, site_url).open()
    home.submit("")

    # Her browser itself says that the box must be filled, so nothing is sent and no list is started.
    assert home.is_refused_by_browser()
    assert browser.current_url == f"{site_url}/"

    # As soon as there is something in the box, the browser has no objection any more.
    home.box.send_keys("Water")
    assert not home.is_refused_by_browser()


@pytest.mark.live_safe
def test_spaces_are_no_item_either(browser: Chrome, site_url: str) -> None:
    # Jonas leans on the space bar, which a browser lets pass.
    home = HomePage(browser, site_url).open()
    home.submit("   ")

    # The site does not: it says so beside the box, and starts no list.
    home.wait_for_message(EMPTY_ITEM)
    assert browser.current_url == f"{site_url}/"


def test_an_empty_item_is_kept_back_in_a_list_too(browser: Chrome, site_url: str) -> None:
    # Mira has a list, and presses Enter by mistake.
    to_do = HomePage(browser, site_url).open().start_list("Water the tomatoes")
    to_do.submit("")
    assert to_do.is_refused_by_browser()

    # Her list is as it was, and takes the next real item.
    to_do.add("Pick the ripe ones")
    assert to_do.items == ["1: Water the tomatoes", "2: Pick the ripe ones"]


def test_the_same_item_twice_is_refused_with_a_message_that_goes_on_typing(browser: Chrome, site_url: str) -> None:
    # Mira forgets that she has noted the tomatoes already.
    to_do = HomePage(browser, site_url).open().start_list("Water the tomatoes")
    to_do.submit("Water the tomatoes")

    # A message beside the box says so. The list is as it was, and what she typed is still in the box.
    to_do.wait_for_message(DUPLICATE_ITEM)
    assert to_do.items == ["1: Water the tomatoes"]
    assert to_do.box.get_property("value") == "Water the tomatoes"
    assert to_do.shape_of(".error")["top"] - to_do.shape_of("input[name=text]")["bottom"] < 30

    # She types on, and the message disappears with the first letter.
    to_do.box.send_keys("!")
    to_do.wait_for_message(None)
    to_do.add("Water the tomatoes again")
    assert to_do.items == ["1: Water the tomatoes", "2: Water the tomatoes again"]
