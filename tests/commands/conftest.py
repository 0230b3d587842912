from __future__ import annotations

import shutil

import pytest

from deploy_plugin.adoption import takeover
from deploy_plugin.testing import FakeServer
from tests.commands import elsewhere
from tests.commands.command import Command
from tests.commands.releases import before, deploy, ids
from tests.inner import Project
from tests.site import Site

USED_BY_STATUS = ("cut", "df", "du", "tail", "tr")


@pytest.fixture
def command(project: Project, capsys: pytest.CaptureFixture[str]) -> Command:
    assert project.connected == []
    return Command(capsys)


@pytest.fixture
def deployed(deployable: Project, server: FakeServer) -> FakeServer:
    """A server on which a release serves."""
    assert deployable.run("--deploy-to=staging").ret == 0
    for name in USED_BY_STATUS:
        server.install(name, f'exec {shutil.which(name)} "$@"')
    return server


@pytest.fixture
def two(deployable: Project, server: FakeServer) -> tuple[str, str]:
    """Two releases: the second serves, and the first was stopped, as its time is over."""
    deploy(deployable, "two")
    (new,) = ids(server)
    old = before(server, new)
    server.journal.clear()
    return old, new


@pytest.fixture
def old(deployable: Project, server: FakeServer, site: Site, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """A server on which somebody else's container serves."""
    monkeypatch.setattr(takeover, "PATIENCE", 0.0)
    elsewhere.serve(deployable, server, site)
    return server
