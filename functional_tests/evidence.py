"""What is left of a failed story: what its visitors saw, and what the server said."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from functional_tests import browsers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from selenium.webdriver import Chrome


@dataclass(frozen=True, slots=True)
class Scene:
    """The browsers of one test, and the log of the container that they talked to, where there is one."""

    visitors: list[Chrome] = field(default_factory=list)
    container_log: Callable[[], str] | None = None

    def save(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for number, browser in enumerate(self.visitors, start=1):
            prefix = f"visitor-{number}-" if len(self.visitors) > 1 else ""
            save_what_is_seen(browser, folder, prefix)
        if self.container_log:
            (folder / "container.log").write_text(self.container_log(), encoding="utf-8")


def folder_name(test_name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", test_name).strip("-")


def save_what_is_seen(browser: Chrome, folder: Path, prefix: str) -> None:
    try:
        browser.save_screenshot(folder / f"{prefix}screenshot.png")
        (folder / f"{prefix}page.html").write_text(browser.page_source, encoding="utf-8")
        lines = "\n".join([browser.current_url, *browsers.console(browser)])
        (folder / f"{prefix}console.txt").write_text(lines + "\n", encoding="utf-8")
    except browsers.BROKEN as error:  # a browser that has died must not hide why the test failed
        (folder / f"{prefix}browser-error.txt").write_text(str(error), encoding="utf-8")
