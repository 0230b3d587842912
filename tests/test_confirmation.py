"""The server goes back by itself unless it hears from the run: its job, run by this machine's shell."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy_plugin import confirmation, traffic
from deploy_plugin.confirmation import Confirmation
from deploy_plugin.containers import Containers
from deploy_plugin.errors import StepFailed
from deploy_plugin.models import App
from deploy_plugin.proxy import upstreams
from deploy_plugin.testing import FakeServer
from tests.two_releases import NEW, OLD, new_release, serve_old
from tests.waiting import until


@pytest.fixture
def containers(server: FakeServer, app: App) -> Containers:
    return new_release(server, app)


@pytest.fixture
def waiting(server: FakeServer, containers: Containers) -> Iterator[Confirmation]:
    """Visitors go to the new release, and nobody has confirmed it; ``sleep`` goes on when a file is there."""
    nap = shutil.which("sleep")
    server.install("sleep", f"while ! [ -e {server.home}/go ]; do {nap} 0.01; done; rm -f {server.home}/go")
    serve_old(server, containers)
    found = confirmation.of(server, containers)
    found.await_it(server, containers, traffic.look(server, containers))
    upstreams.tell(server, containers.app.name, NEW, 8888)
    yield found
    Path(found.file).unlink(missing_ok=True)
    (server.home / "go").touch()  # the job ends


def begin(server: FakeServer, containers: Containers) -> None:
    confirmation.of(server, containers).await_it(server, containers, traffic.look(server, containers))


def look_again(server: FakeServer) -> None:
    """Let the job look at the clock once."""
    go = Path(server.home / "go")
    go.touch()
    until(lambda: not go.exists())


def late(server: FakeServer, waiting: Confirmation) -> None:
    """Let the time be over."""
    Path(waiting.file).write_text(f"1 {waiting.tried}\n")
    look_again(server)


def test_when_nobody_confirms_visitors_go_back_and_the_run_hears_of_it(
    server: FakeServer, containers: Containers, waiting: Confirmation
) -> None:
    look_again(server)
    assert upstreams.told(server, containers.app.name) == NEW
    late(server, waiting)
    until(lambda: upstreams.told(server, containers.app.name) == OLD)
    with pytest.raises(StepFailed, match="Nobody confirmed the new release within 600 s"):
        waiting.end(server)


def test_what_is_confirmed_stays(server: FakeServer, containers: Containers, waiting: Confirmation) -> None:
    waiting.end(server)
    look_again(server)
    assert upstreams.told(server, containers.app.name) == NEW
    assert not Path(waiting.file).exists()


def test_to_be_heard_of_gives_it_more_time(server: FakeServer, containers: Containers, waiting: Confirmation) -> None:
    Path(waiting.file).write_text(f"1 {waiting.tried}\n")
    waiting.renew(server)
    look_again(server)
    assert upstreams.told(server, containers.app.name) == NEW
    waiting.end(server)
    waiting.renew(server)
    assert not Path(waiting.file).exists()


def test_without_a_proxy_the_containers_change_places_again(server: FakeServer, containers: Containers) -> None:
    told = Path(server.home / "told")
    server.install("docker", f'echo "$*" >>{told}')
    server.install("sleep", "true")
    published = replace(containers, app=replace(containers.app, proxied=False))
    server.engine.add_image("superlists:abc")
    server.engine.start(replace(published.serving, name=OLD))
    found = Confirmation(containers.folder.path / "unconfirmed", 0, published.serving.name)
    found.await_it(server, published, traffic.look(server, published))
    until(lambda: told.exists() and len(told.read_text().splitlines()) == 2)
    assert told.read_text().splitlines() == [f"stop {published.serving.name}", f"start {OLD}"]


def test_where_nothing_served_there_is_nothing_to_go_back_to(server: FakeServer, containers: Containers) -> None:
    begin(server, containers)
    assert not Path(containers.folder.path / "unconfirmed").exists()


def test_where_what_served_does_not_run_there_is_nothing_either(server: FakeServer, containers: Containers) -> None:
    serve_old(server, containers)
    server.engine.stop(OLD)
    begin(server, containers)
    assert not Path(containers.folder.path / "unconfirmed").exists()


def test_a_server_that_can_not_wait_is_told(server: FakeServer, containers: Containers) -> None:
    serve_old(server, containers)
    server.install("date", "exit 1")
    server.install("mv", "echo no >&2; exit 1")
    with pytest.raises(StepFailed, match="can't be made to wait for a confirmation"):
        begin(server, containers)


def test_a_job_of_a_run_that_went_away_leaves_a_later_one_alone(
    server: FakeServer, containers: Containers, waiting: Confirmation
) -> None:
    Path(waiting.file).write_text("1 superlists-later\n")
    look_again(server)
    assert upstreams.told(server, containers.app.name) == NEW
    assert Path(waiting.file).exists()
