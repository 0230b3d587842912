"""The pages are dressed, wherever they are looked at, and nothing on them is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functional_tests import browsers
from functional_tests.pages import HomePage, Page

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

each_device = pytest.mark.parametrize("device", [browsers.PHONE, browsers.DESKTOP], ids=str)


@pytest.mark.live_safe
@each_device
def test_the_home_page_is_centred(browser: Chrome, site_url: str, device: browsers.Device) -> None:
    # Mira opens the site, on whatever she has at hand.
    browsers.hold(browser, device)
    home = HomePage(browser, site_url).open()

    # Box and heading stand in the middle, and she need not scroll sideways.
    assert_centred(home, device, "h1", "form")


@each_device
def test_a_list_is_centred_even_with_a_word_that_never_ends(
    browser: Chrome, site_url: str, device: browsers.Device
) -> None:
    # Jonas is fond of long words.
    browsers.hold(browser, device)
    to_do = HomePage(browser, site_url).open().start_list("Rindfleischetikettierungs" * 8)

    # They stay inside his list, which stands in the middle.
    assert_centred(to_do, device, "h1", "form", "ol")


@pytest.mark.live_safe
def test_light_and_dark_follow_the_visitor(browser: Chrome, site_url: str) -> None:
    # Mira has set her computer to dark colours for the evening. The page is dark; in the morning it is light.
    home = HomePage(browser, site_url)
    brightness = {}
    for scheme in ("dark", "light"):
        browsers.prefer(browser, scheme)
        brightness[scheme] = background_brightness(home.open())
    assert brightness["dark"] < 60
    assert brightness["light"] > 200


@pytest.mark.live_safe
def test_the_console_is_quiet_at_home(browser: Chrome, site_url: str) -> None:
    # Jonas is a developer, and has the console open. Nothing is missing, and no script stumbles.
    HomePage(browser, site_url).open().wait_for_focus_on("input[name=text]")
    assert browsers.console(browser) == []


def test_the_console_is_quiet_all_the_way(browser: Chrome, site_url: str) -> None:
    # He keeps it open while he starts a list, adds to it, and is refused something.
    to_do = HomePage(browser, site_url).open().start_list("Repair the bicycle")
    to_do.add("Oil the chain")
    to_do.submit("Oil the chain")
    to_do.wait_for_message("This is already in your list")
    to_do.box.send_keys("!")
    to_do.wait_for_message(None)
    assert browsers.console(browser) == []


def assert_centred(page: Page, device: browsers.Device, *elements: str) -> None:
    for element in elements:
        shape = page.shape_of(element)
        middle = (shape["left"] + shape["right"]) / 2
        assert middle == pytest.approx(device.width / 2, abs=10), f"{element} is not in the middle: {shape}"
    assert page.browser.execute_script("return document.documentElement.scrollWidth") <= device.width


def background_brightness(page: Page) -> float:
    colour: str = page.browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    channels = [float(channel) for channel in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    return sum(channels) / len(channels)
