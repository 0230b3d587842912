"""What the server does by itself while a site is closed: its scripts, run by this machine's shell."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from deploy_plugin import confirmation, downtime
from deploy_plugin.containers import Containers
from deploy_plugin.downtime import Downtime
from deploy_plugin.errors import RollbackFailed, StepFailed
from deploy_plugin.health import Probe
from deploy_plugin.models import App
from deploy_plugin.proxy import upstreams
from deploy_plugin.proxy.upstreams import ProxyFolder
from deploy_plugin.testing import FakeServer
from tests.site import TARGET, running
from tests.two_releases import NEW, OLD, new_release, serve_old
from tests.waiting import until

IN_WAL = b"SQLite format 3\0" + b"\x10\x00" + b"\x02\x02"
IN_DELETE = b"SQLite format 3\0" + b"\x10\x00" + b"\x01\x01"


@pytest.fixture
def containers(server: FakeServer, app: App) -> Containers:
    return new_release(server, app)


@pytest.fixture
def told(server: FakeServer) -> Path:
    """What Docker on the server is told by scripts, a line each."""
    told = server.home.parent / "told"
    server.install("docker", f'[ "$1" = ps ] && echo running; echo "$1 $2 $3" >> {told}')
    server.install("sync", "exit 0")
    return told


@pytest.fixture
def closed(server: FakeServer, containers: Containers, told: Path) -> Iterator[Containers]:
    """The site is closed, a snapshot was taken, and the database is another by now; ``sleep`` naps while told to."""
    nap = shutil.which("sleep")
    server.install("sleep", f"while ! [ -e {server.home}/go ]; do {nap} 0.01; done")
    serve_old(server, containers)
    folder = containers.folder
    server.write(folder.data / "db.sqlite3", IN_WAL + b"rows", mode=0o600)
    server.write(folder.snapshots / "db-new.sqlite3.sha256", b"of an older one", mode=0o600)
    this = Downtime(allowed=True)
    this.begin(server, containers, Probe("/health", TARGET.netloc, 8888))
    this.end()
    assert not told.exists()
    assert not Path(folder.snapshots / "db-new.sqlite3.sha256").exists()
    keep_snapshot(server, containers, IN_DELETE + b"rows")
    server.write(folder.data / "db.sqlite3", IN_WAL + b"migrated", mode=0o600)
    for end in ("-wal", "-shm"):
        server.write(folder.data / f"db.sqlite3{end}", b"migrated", mode=0o600)
    upstreams.tell(server, containers.app.name, NEW, 8888)
    yield containers
    Path(folder.path / "unconfirmed").unlink(missing_ok=True)
    (server.home / "go").touch()  # the job ends


def keep_snapshot(server: FakeServer, containers: Containers, content: bytes) -> None:
    path = containers.folder.snapshot("new")
    server.write(path, content, mode=0o600)
    digest = hashlib.sha256(content).hexdigest()
    server.write(path.with_name(f"{path.name}.sha256"), f"{digest}  {path.name}\n".encode(), mode=0o600)


def database(containers: Containers) -> bytes:
    return Path(containers.folder.data / "db.sqlite3").read_bytes()


def page(server: FakeServer, containers: Containers) -> Path:
    return Path(ProxyFolder(server.facts.home).page(containers.app.name))


def test_a_closed_site_shows_a_page_and_nobody_writes(server: FakeServer, closed: Containers) -> None:
    assert b"Back in a moment" in page(server, closed).read_bytes()
    assert page(server, closed).stat().st_mode & 0o777 == 0o644
    assert running(server) == set()
    state = downtime.look(server, closed.app.name)
    assert state
    assert (state.tried, state.serving, state.failed) == ("new", [OLD], "")
    assert "the maintenance page is up since 20" in str(state)


def test_an_app_may_bring_its_own_page(server: FakeServer, containers: Containers, told: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.html"
    own.write_text("<h1>Later</h1>")
    assert not told.exists()
    serve_old(server, containers)
    app = replace(containers.app, maintenance=own)
    this = Downtime(allowed=True)
    this.begin(server, replace(containers, app=app), Probe("/health", TARGET.netloc, 8888))
    this.end()
    assert page(server, containers).read_text() == "<h1>Later</h1>"


def test_going_back_restores_the_snapshot_and_opens_the_site(
    server: FakeServer, closed: Containers, told: Path
) -> None:
    downtime.go_back(server, closed.app, TARGET.name)

    assert database(closed) == IN_WAL + b"rows"
    assert [path.name for path in Path(closed.folder.data).iterdir()] == ["db.sqlite3"]
    assert Path(closed.folder.data / "db.sqlite3").stat().st_mode & 0o777 == 0o600
    assert upstreams.told(server, closed.app.name) == OLD
    assert [line.split()[0] for line in told.read_text().splitlines()] == ["ps", "stop", "start", "exec"]
    assert f"start {OLD}" in told.read_text()
    assert not page(server, closed).exists()
    assert downtime.look(server, closed.app.name) is None


def test_once_the_site_is_open_nothing_is_restored(server: FakeServer, closed: Containers, told: Path) -> None:
    downtime.go_back(server, closed.app, TARGET.name)
    server.write(closed.folder.data / "db.sqlite3", b"what visitors wrote since", mode=0o600)
    told.unlink()
    downtime.go_back(server, closed.app, TARGET.name)
    assert database(closed) == b"what visitors wrote since"
    assert not told.exists()


def test_before_there_is_a_snapshot_the_database_is_left_alone(server: FakeServer, closed: Containers) -> None:
    Path(closed.folder.snapshots / "db-new.sqlite3.sha256").unlink()
    downtime.go_back(server, closed.app, TARGET.name)
    assert database(closed) == IN_WAL + b"migrated"
    assert not page(server, closed).exists()


def test_a_snapshot_that_is_damaged_is_not_restored_and_the_site_stays_closed(
    server: FakeServer, closed: Containers
) -> None:
    server.write(closed.folder.snapshot("new"), b"damaged", mode=0o600)
    with pytest.raises(RollbackFailed, match=r"^The snapshot could not be restored") as caught:
        downtime.go_back(server, closed.app, TARGET.name)
    assert "is not what its checksum says" in caught.value.got
    assert caught.value.exit_code == 31
    assert "pytest-deploy restore staging db-new.sqlite3" in caught.value.hint
    assert database(closed) == IN_WAL + b"migrated"
    assert page(server, closed).exists()
    state = downtime.look(server, closed.app.name)
    assert state
    assert "is not what its checksum says" in state.failed


def test_a_release_that_does_not_answer_again_keeps_the_site_closed(
    server: FakeServer, closed: Containers, told: Path
) -> None:
    server.install("docker", f'echo "$1" >> {told}; [ "$1" != exec ]')
    (server.home / "go").touch()
    with pytest.raises(RollbackFailed) as caught:
        downtime.go_back(server, closed.app, TARGET.name)
    assert f"{OLD} runs again, and does not answer well" in caught.value.got
    assert page(server, closed).exists()


def test_the_server_goes_back_by_itself_where_nobody_is_heard_of(server: FakeServer, closed: Containers) -> None:
    server.write(closed.folder.path / "unconfirmed", f"0 {closed.serving.name}\n".encode(), mode=0o600)
    (server.home / "go").touch()
    until(lambda: not page(server, closed).exists())
    assert database(closed) == IN_WAL + b"rows"
    with pytest.raises(StepFailed, match="Nobody confirmed the new release within"):
        downtime.commit(server, closed)


def test_a_commit_lets_visitors_in_and_nothing_is_taken_back_then(server: FakeServer, closed: Containers) -> None:
    downtime.commit(server, closed)
    assert not page(server, closed).exists()
    assert upstreams.told(server, closed.app.name) == NEW
    assert not Path(confirmation.of(server, closed).file).exists()
    downtime.go_back(server, closed.app, TARGET.name)
    assert database(closed) == IN_WAL + b"migrated"


def test_a_page_that_can_not_be_removed_is_said(server: FakeServer, closed: Containers) -> None:
    server.install("rm", f'case "$*" in *maintenance*) echo no >&2; exit 1 ;; esac; exec {shutil.which("rm")} "$@"')
    with pytest.raises(RollbackFailed, match=r"^The tests passed, and the maintenance page can't be taken") as caught:
        downtime.commit(server, closed)
    assert str(page(server, closed)) in caught.value.hint


def test_what_can_not_be_written_down_closes_nothing(server: FakeServer, containers: Containers) -> None:
    serve_old(server, containers)
    Path(containers.folder.path / "downtime.new").mkdir(parents=True)
    with pytest.raises(StepFailed, match=r"^What is to come back after the downtime can't be written down"):
        Downtime(allowed=True).begin(server, containers, Probe("/health", TARGET.netloc, 8888))
    assert not page(server, containers).exists()
    assert running(server) == {OLD}


def test_what_served_can_be_started_without_its_data(server: FakeServer, closed: Containers, told: Path) -> None:
    downtime.without_data(server, closed.app)
    assert database(closed) == IN_WAL + b"migrated"
    assert f"start {OLD}" in told.read_text()
    assert page(server, closed).exists()
    downtime.open_again(server, closed.app.name)
    assert downtime.look(server, closed.app.name) is None
