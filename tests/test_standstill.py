"""An app that was stopped is started by the server where the run goes away: its job, run by this machine's shell."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin import lease
from deploy_plugin.containers import Containers
from deploy_plugin.errors import StepFailed
from deploy_plugin.health import Probe
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.proxy import caddy
from deploy_plugin.standstill import standstill
from deploy_plugin.testing import FakeServer
from tests.site import TARGET
from tests.waiting import until


@pytest.fixture
def containers(server: FakeServer, app: App) -> Containers:
    folder = AppFolder(PurePosixPath(server.home), app.name)
    found = Containers(app, TARGET, folder, (1000, 1000), Release("new", "", "superlists:abc"), {})
    server.engine.add_image("superlists:abc")
    server.engine.ensure_network(caddy.NETWORK)
    server.engine.start(found.serving)
    return found


@pytest.fixture
def docker(server: FakeServer) -> Path:
    """What the server's job says to Docker; a container is at work as long as ``at-work`` is there."""
    told = Path(server.home / "told")
    server.install(
        "docker", f'[ "$1" != ps ] || {{ cat {server.home}/at-work 2>/dev/null; exit; }}; echo "$*" >>{told}'
    )
    return told


@pytest.fixture
def stopped(server: FakeServer, containers: Containers) -> Iterator[ExitStack]:
    """The app stands still until the stack is closed; ``sleep`` goes on when a file is there."""
    nap = shutil.which("sleep")
    server.install("sleep", f"while ! [ -e {server.home}/go ]; do {nap} 0.01; done; rm -f {server.home}/go")
    held = lease.acquire(server, containers.app.name, "staging", "restore")
    with ExitStack() as stack:
        stack.enter_context(standstill(server, containers, Probe.of(containers.app, TARGET)))
        yield stack
    held.release()
    Path(server.home / "go").touch()  # the job ends


def look_again(server: FakeServer, times: int = 1) -> None:
    """Let the job look so often."""
    for _ in range(times):
        go = Path(server.home / "go")
        go.touch()
        until(lambda go=go: not go.exists())  # type: ignore[misc]


def lose_the_lease(server: FakeServer) -> None:
    file = Path(lease.file_of(server, "superlists"))
    file.write_text(re.sub("expires=.*", "expires=0", file.read_text()))


@pytest.mark.usefixtures("stopped")
def test_where_the_run_goes_away_the_server_starts_it_again(
    server: FakeServer, containers: Containers, docker: Path
) -> None:
    assert server.engine.container(containers.serving.name).running is False  # type: ignore[union-attr]
    look_again(server, 2)
    assert not docker.exists()
    (server.home / "at-work").write_text("superlists-new-replace\n")
    lose_the_lease(server)
    look_again(server, 3)
    assert not docker.exists()  # the database is being replaced
    (server.home / "at-work").unlink()
    Path(server.home / "go").touch()
    until(docker.exists)
    assert docker.read_text().split() == ["start", containers.serving.name]
    mark = Path(containers.folder.path / "stopped.late")
    until(lambda: not mark.exists())


def test_a_run_that_ends_starts_it_itself(
    server: FakeServer, containers: Containers, docker: Path, stopped: ExitStack
) -> None:
    stopped.close()
    assert server.engine.container(containers.serving.name).running  # type: ignore[union-attr]
    lose_the_lease(server)
    look_again(server)
    assert not docker.exists()
    assert not Path(containers.folder.path / "stopped").exists()


@pytest.mark.usefixtures("stopped")
def test_what_a_later_run_stopped_is_left_alone(server: FakeServer, containers: Containers, docker: Path) -> None:
    lose_the_lease(server)
    Path(containers.folder.path / "stopped").write_text("12345\n")
    look_again(server)
    assert not docker.exists()
    assert Path(containers.folder.path / "stopped").exists()


def test_a_server_that_can_not_do_it_is_told_before_anything_is_stopped(
    server: FakeServer, containers: Containers
) -> None:
    held = lease.acquire(server, containers.app.name, "staging", "restore")
    Path(containers.folder.path / "stopped").mkdir()
    with (
        pytest.raises(StepFailed, match="can't be made to start the app again"),
        standstill(server, containers, Probe.of(containers.app, TARGET)),
    ):
        pass
    assert server.engine.container(containers.serving.name).running  # type: ignore[union-attr]
    held.release()
