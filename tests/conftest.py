from __future__ import annotations

from pathlib import Path, PurePosixPath

import docker  # noqa: F401 - before an inner pytest imports it, and takes its modules away again
import pytest

from deploy_plugin import lease
from deploy_plugin.models import App
from deploy_plugin.runner import Runner
from deploy_plugin.testing import FakeEngine, FakeServer
from tests.inner import Project, Untouchable
from tests.listener import Told
from tests.machine import Machine
from tests.sandboxes import Sandboxes
from tests.site import Site, install_docker, make_app


@pytest.fixture(autouse=True)
def no_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a lease be asked for with every change: tests take it away between two of them."""
    monkeypatch.setattr(lease, "TRUST", 0)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def server(tmp_path: Path, site: Site) -> FakeServer:
    """A server on which Docker is installed, and nothing else."""
    server = FakeServer(tmp_path / "server")
    site.serve_from(server.engine)
    install_docker(server)
    return server


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def runner(server: FakeServer, told: Told) -> Runner:
    return Runner(server, told)


@pytest.fixture
def app(tmp_path: Path) -> App:
    context = tmp_path / "context"
    context.mkdir()
    return make_app(context, database=PurePosixPath("/data/db.sqlite3"))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Docker on this machine, in memory."""
    machine = Machine(FakeEngine())
    machine.take_over(monkeypatch)
    return machine


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose server must not be contacted, until a test says which one it is."""
    # In CI pytest shortens nothing, and says in its summary what it said above.
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    project = Project(pytester, monkeypatch)
    project.write_all()
    project.on(Untouchable())
    return project


@pytest.fixture
def sandboxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sandboxes:
    """The sandboxes of this machine: none, and none is really booted."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    sandboxes = Sandboxes()
    sandboxes.take_over(monkeypatch)
    return sandboxes


@pytest.fixture
def deployable(project: Project, server: FakeServer, machine: Machine) -> Project:
    """A project that can be deployed to ``server``."""
    assert machine.built == []
    project.on(server)
    return project
