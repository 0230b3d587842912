"""Starting a list, and keeping it apart from everybody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functional_tests.pages import HomePage, ListPage

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

    from functional_tests.browsers import NewBrowser


def test_a_visitor_starts_a_list_and_finds_it_again_at_its_own_address(browser: Chrome, site_url: str) -> None:
    # Mira has heard of a site for to-do lists. She opens it, and sees what it is for.
    home = HomePage(browser, site_url).open()
    assert "to-do list" in browser.title
    assert "to-do list" in home.heading

    # There is a box that asks what needs doing. She types the first thing, presses Enter, and sees it as number 1.
    to_do = home.start_list("Water the tomatoes")
    assert to_do.items == ["1: Water the tomatoes"]

    # The box is still there, so she adds a second thing.
    to_do.add("Pick the ripe ones")
    assert to_do.items == ["1: Water the tomatoes", "2: Pick the ripe ones"]

    # Her list has an address of its own. She notes it down, goes away, and later comes back to find everything there.
    address = to_do.url
    assert address.startswith(f"{site_url}/lists/")
    home.open()
    browser.get(address)
    to_do.wait_for_items("Water the tomatoes", "Pick the ripe ones")


def test_two_visitors_have_lists_of_their_own(new_browser: NewBrowser, site_url: str) -> None:
    # Mira starts a list.
    mira = HomePage(new_browser(), site_url).open().start_list("Water the tomatoes")

    # Jonas comes along with a browser of his own. The home page shows nothing of Mira's.
    his_browser = new_browser()
    home = HomePage(his_browser, site_url).open()
    assert ListPage(his_browser).items == []

    # He starts a list, even with the same words as hers, and gets another address than she.
    jonas = home.start_list("Water the tomatoes")
    jonas.add("Repair the bicycle")
    assert jonas.url != mira.url

    # What he added is not in her list.
    mira.browser.refresh()
    mira.wait_for_items("Water the tomatoes")

    # She has given him her address: there he sees hers, and not his own.
    his_browser.get(mira.url)
    ListPage(his_browser).wait_for_items("Water the tomatoes")
