"""A story that ends badly leaves something to look at; one that can't be told says what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functional_tests import browsers
from functional_tests.evidence import Scene, folder_name
from functional_tests.pages import HomePage

if TYPE_CHECKING:
    from pathlib import Path

    from selenium.webdriver import Chrome

pytestmark = pytest.mark.live_safe


def test_what_a_visitor_saw_is_kept(browser: Chrome, site_url: str, tmp_path: Path) -> None:
    # Mira sees something odd. What she sees is kept, and what the server had to say.
    HomePage(browser, site_url).open()
    browser.execute_script("console.error('odd')")
    folder = tmp_path / "evidence"
    Scene([browser], container_log=lambda: "GET / 500\n").save(folder)

    assert (folder / "screenshot.png").read_bytes().startswith(b"\x89PNG")
    assert "Start a to-do list" in (folder / "page.html").read_text(encoding="utf-8")
    assert f"{site_url}/" in (folder / "console.txt").read_text(encoding="utf-8")
    assert "odd" in (folder / "console.txt").read_text(encoding="utf-8")
    assert (folder / "container.log").read_text(encoding="utf-8") == "GET / 500\n"


def test_a_browser_that_has_died_does_not_hide_the_others(
    new_browser: browsers.NewBrowser, site_url: str, tmp_path: Path
) -> None:
    # Jonas's browser is gone, Mira's is not.
    jonas, mira = new_browser(), new_browser()
    HomePage(mira, site_url).open()
    jonas.quit()
    Scene([jonas, mira]).save(tmp_path / "evidence")

    kept = {path.name for path in (tmp_path / "evidence").iterdir()}
    assert kept == {
        "visitor-1-browser-error.txt",
        "visitor-2-screenshot.png",
        "visitor-2-page.html",
        "visitor-2-console.txt",
    }


def test_evidence_of_an_earlier_run_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "screenshot.png").write_text("of yesterday", encoding="utf-8")
    Scene().save(folder)
    assert list(folder.iterdir()) == []


def test_a_folder_is_named_as_its_test() -> None:
    assert folder_name("test_axe[light-phone/x]") == "test_axe-light-phone-x"


def test_without_a_browser_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("SE_CACHE_PATH", str(tmp_path))
    monkeypatch.setenv("SE_OFFLINE", "true")
    with pytest.raises(browsers.NoBrowserError, match=r"apt-get install chromium chromium-driver.*\n.*What it said: "):
        browsers.start()
