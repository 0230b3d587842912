"""Whoever can't use a mouse, or can't see well, gets the same lists.

axe comes from axe-core-python: others carry a newer one, but need Playwright or a newer Python than we ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from functional_tests import browsers
from functional_tests.pages import HomePage, ListPage

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

each_device = pytest.mark.parametrize("device", [browsers.PHONE, browsers.DESKTOP], ids=str)
each_scheme = pytest.mark.parametrize("scheme", ["light", "dark"])
BOX = "input[name=text]"


def test_a_list_can_be_kept_with_the_keyboard_alone(browser: Chrome, site_url: str) -> None:
    # Jonas uses no mouse. The box awaits his typing as soon as the page is open, and is seen to.
    home = HomePage(browser, site_url).open()
    home.wait_for_focus_on(BOX)
    assert focus_is_visible(browser)

    # He types, and presses Enter. On his list the box awaits him again.
    press(browser, "Repair the bicycle", Keys.ENTER)
    to_do = ListPage(browser)
    to_do.wait_for_items("Repair the bicycle")
    to_do.wait_for_focus_on(BOX)

    # This time he goes on to the button with Tab, sees that he is there, and presses it with the space bar.
    press(browser, "Oil the chain", Keys.TAB)
    to_do.wait_for_focus_on("button")
    assert focus_is_visible(browser)
    press(browser, Keys.SPACE)
    to_do.wait_for_items("Repair the bicycle", "Oil the chain")

    # One Tab more than the button leads to another list.
    to_do.wait_for_focus_on(BOX)
    press(browser, Keys.TAB, Keys.TAB)
    to_do.wait_for_focus_on("main a")
    assert focus_is_visible(browser)
    press(browser, Keys.ENTER)
    home.wait_until_open()


@pytest.mark.live_safe
@each_device
@each_scheme
def test_axe_finds_nothing_at_home(browser: Chrome, site_url: str, device: browsers.Device, scheme: str) -> None:
    # Mira sees badly and has her browser set up accordingly.
    browsers.hold(browser, device)
    browsers.prefer(browser, scheme)
    HomePage(browser, site_url).open().wait_for_focus_on(BOX)
    assert violations(browser) == []


@each_device
@each_scheme
def test_axe_finds_nothing_in_a_list_with_a_message(
    browser: Chrome, site_url: str, device: browsers.Device, scheme: str
) -> None:
    # She has a list, and notes something for a second time: the message is for her as well.
    browsers.hold(browser, device)
    browsers.prefer(browser, scheme)
    to_do = HomePage(browser, site_url).open().start_list("Water the tomatoes")
    to_do.submit("Water the tomatoes")
    to_do.wait_for_message("This is already in your list")
    assert violations(browser) == []


def press(browser: Chrome, *keys: str) -> None:
    """Press keys, wherever the focus is."""
    ActionChains(browser).send_keys(*keys).perform()


def focus_is_visible(browser: Chrome) -> bool:
    script = "return getComputedStyle(document.activeElement).outlineStyle"
    return bool(browser.execute_script(script) != "none")


def violations(browser: Chrome) -> list[str]:
    """Return every rule that axe sees broken, with the elements that break it."""
    return [
        f"{violation['id']}: {violation['help']}: {[node['html'] for node in violation['nodes']]}"
        for violation in Axe().run(browser)["violations"]
    ]
