"""The pages, as a visitor speaks of them; every wait has an end and names what it waited for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.wait import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

PATIENCE = 10.0  # seconds
BOX = (By.CSS_SELECTOR, "input[name=text]")


@dataclass(frozen=True, slots=True)
class Page:
    """What all pages share: a box to type into, and perhaps a message beside it."""

    browser: Chrome

    @property
    def box(self) -> WebElement:
        return self._wait().until(expected_conditions.element_to_be_clickable(BOX), "there is no box to type into")

    @property
    def heading(self) -> str:
        return self.browser.find_element(By.TAG_NAME, "h1").text

    @property
    def message(self) -> str | None:
        return self._texts(".error")[0] if self._texts(".error") else None

    def submit(self, text: str) -> None:
        """Replace what is in the box, and press Enter."""
        box = self.box
        box.clear()
        box.send_keys(text, Keys.ENTER)

    def is_refused_by_browser(self) -> bool:
        """Whether the browser itself refuses what is in the box, and has something to say about it."""
        return bool(self.box.get_property("validationMessage"))

    def wait_for_message(self, message: str | None) -> None:
        self._wait_until(lambda: self.message == message, lambda: f"the message is {self.message!r}, not {message!r}")

    def wait_for_focus_on(self, css: str) -> None:
        script = "return document.activeElement.matches(arguments[0])"
        self._wait_until(
            lambda: bool(self.browser.execute_script(script, css)), lambda: f"the focus never came to {css}"
        )

    def shape_of(self, css: str) -> Mapping[str, float]:
        """Return left, right, top, bottom of an element in the window, in CSS pixels."""
        script = "return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()"
        shape: Mapping[str, float] = self.browser.execute_script(script, css)
        return shape

    def _texts(self, css: str) -> list[str]:
        # In one go: a page that is being replaced meanwhile can't pull elements from under us.
        script = "return [...document.querySelectorAll(arguments[0])].map(element => element.innerText.trim())"
        texts: list[str] = self.browser.execute_script(script, css)
        return texts

    def _wait(self) -> WebDriverWait[Chrome]:
        return WebDriverWait(self.browser, PATIENCE, poll_frequency=0.05)

    def _wait_until(self, condition: Callable[[], bool], complaint: Callable[[], str]) -> None:
        try:
            self._wait().until(lambda _browser: condition())
        except TimeoutException as error:
            raise AssertionError(complaint()) from error


@dataclass(frozen=True, slots=True)
class HomePage(Page):
    """Where lists start."""

    site_url: str

    def open(self) -> HomePage:
        self.browser.get(f"{self.site_url}/")
        return self

    def wait_until_open(self) -> None:
        self._wait().until(expected_conditions.url_to_be(f"{self.site_url}/"), "this is not the home page")

    def start_list(self, text: str) -> ListPage:
        self.submit(text)
        page = ListPage(self.browser)
        page.wait_for_items(text)
        return page


@dataclass(frozen=True, slots=True)
class ListPage(Page):
    """A list at its own address."""

    @property
    def url(self) -> str:
        return self.browser.current_url

    @property
    def items(self) -> list[str]:
        """The items with their numbers, as they are read: ``1: milk``."""
        return [": ".join(text.split("\n", 1)) for text in self._texts("ol li")]

    def add(self, text: str) -> None:
        known = [item.split(": ", 1)[1] for item in self.items]
        self.submit(text)
        self.wait_for_items(*known, text)

    def wait_for_items(self, *texts: str) -> None:
        expected = numbered(texts)
        self._wait_until(lambda: self.items == expected, lambda: f"the list is {self.items}, not {expected}")


def numbered(texts: Sequence[str]) -> list[str]:
    return [f"{number}: {text}" for number, text in enumerate(texts, start=1)]
