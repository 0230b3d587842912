"""What a story needs: a site to visit, browsers to visit it with, and evidence when it ends badly."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import testinfra

from functional_tests import browsers
from functional_tests.evidence import Scene, folder_name

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from selenium.webdriver import Chrome

    from deploy_plugin.models import Deployment
    from functional_tests.browsers import NewBrowser

SCENE = pytest.StashKey[Scene]()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Where no site is given, let pytest-django serve one: it looks at the names of fixtures only."""
    if isinstance(item, pytest.Function) and not item.config.getoption("base_url"):
        item.fixturenames.append("live_server")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    scene = item.stash.get(SCENE, None)
    if scene and report.when == "call" and report.failed:
        folder = item.config.rootpath / "test-results" / folder_name(item.name)
        scene.save(folder)
        report.sections.append(("What the visitor saw", f"Screenshot, page source and logs are in {folder}"))
    return report


@pytest.fixture
def site_url(request: pytest.FixtureRequest, base_url: str | None) -> str:
    """Return the address of the site, without a slash at its end: the target's, or Django's live server's."""
    url: str = base_url or request.getfixturevalue("live_server").url
    return url.rstrip("/")


@pytest.fixture
def browser(new_browser: NewBrowser) -> Chrome:
    return new_browser()


@pytest.fixture
def new_browser(
    request: pytest.FixtureRequest,
    idle_browsers: list[Chrome],
    container_log: Callable[[], str] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[NewBrowser]:
    """Give one more visitor a browser, which remembers nothing of earlier ones."""
    if "SE_OFFLINE" not in os.environ:
        monkeypatch.setenv("SE_OFFLINE", "true")  # a test run calls nobody but the site
    scene = request.node.stash[SCENE] = Scene(container_log=container_log)

    def open_browser() -> Chrome:
        try:
            visitor = idle_browsers.pop() if idle_browsers else browsers.start()
        except browsers.NoBrowserError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
        scene.visitors.append(visitor)
        return visitor

    yield open_browser
    for visitor in scene.visitors:
        try:
            browsers.forget(visitor)
        except browsers.BROKEN:
            visitor.quit()
        else:
            idle_browsers.append(visitor)


@pytest.fixture(scope="session")
def idle_browsers(request: pytest.FixtureRequest, base_url: str | None) -> Iterator[list[Chrome]]:
    """Keep browsers for the next test: to start one takes longer than most stories."""
    if not base_url:
        request.getfixturevalue("live_server")  # so that it outlives the browsers, and their connections to it
    idle: list[Chrome] = []
    yield idle
    for browser in idle:
        browser.quit()


@pytest.fixture
def container_log(request: pytest.FixtureRequest) -> Callable[[], str] | None:
    """Read the end of the log of the container that serves the site; None where no target is given."""
    options = request.config.option
    if not (getattr(options, "deploy_to", None) or getattr(options, "verify_on", None)):
        return None
    deployment: Deployment = request.getfixturevalue("deployment")

    def read() -> str:
        host = testinfra.get_host(options.hosts, ssh_config=options.ssh_config)
        result = host.run("docker logs --tail 500 %s 2>&1", deployment.container)
        return str(result.stdout + result.stderr)

    return read
