"""Starting a browser, and choosing what it passes for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from urllib3.exceptions import HTTPError

NewBrowser = Callable[[], Chrome]

BROKEN = (WebDriverException, HTTPError)
"""What a browser, or its driver, that has died answers with."""

ARGUMENTS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--window-size=1280,900",
)

NO_BROWSER = """\
No browser to tell the stories in.
Install Chromium and its driver (Debian: apt-get install chromium chromium-driver), or Chrome with a chromedriver on
the PATH; SE_OFFLINE=false lets Selenium fetch a driver itself. What it said: {reason}"""


class NoBrowserError(Exception):
    """There is no browser here that Selenium could drive."""


@dataclass(frozen=True, slots=True)
class Device:
    """A screen, as wide and high as in CSS pixels."""

    name: str
    width: int
    height: int
    mobile: bool

    def __str__(self) -> str:
        return self.name


PHONE = Device("phone", 390, 844, mobile=True)
DESKTOP = Device("desktop", 1280, 900, mobile=False)


def start() -> Chrome:
    options = ChromeOptions()
    for argument in ARGUMENTS:
        options.add_argument(argument)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium refuses to start as root with it
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    try:
        return Chrome(options=options)
    except WebDriverException as error:
        reason = (error.msg or type(error).__name__).partition("; For documentation")[0]
        raise NoBrowserError(NO_BROWSER.format(reason=reason)) from error


def forget(browser: Chrome) -> None:
    """Make it a new visitor's: no page, no cookies, no cache, no device, no colours, an empty console."""
    browser.get("about:blank")
    for command in ("Network.clearBrowserCookies", "Network.clearBrowserCache", "Emulation.clearDeviceMetricsOverride"):
        browser.execute_cdp_cmd(command, {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    console(browser)


def hold(browser: Chrome, device: Device) -> None:
    """Look at pages on this device from now on; no window gets as narrow as a phone."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": device.width, "height": device.height, "deviceScaleFactor": 1, "mobile": device.mobile},
    )


def prefer(browser: Chrome, scheme: str) -> None:
    """Ask pages for their ``light`` or their ``dark`` colours from now on."""
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )


def console(browser: Chrome) -> list[str]:
    """Return what the console said since it was last asked."""
    return [f"{entry['level']} {entry['message']}" for entry in browser.get_log("browser")]  # type: ignore[no-untyped-call]
