"""A downtime: visitors get a page that says so, nobody writes, and all is as before unless the run commits.

What is there is said by two files on the server: the page, which the proxy looks for at each request, and beside the
app's data, what is to come back. The server brings it back by itself where nothing is heard of the run any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin import closed, confirmation, traffic
from deploy_plugin.containers import APP, Containers
from deploy_plugin.errors import DeployError, RollbackFailed, StepFailed
from deploy_plugin.health import Probe, port_of
from deploy_plugin.models import App, AppFolder
from deploy_plugin.proxy import caddy, upstreams
from deploy_plugin.proxy.upstreams import READABLE, ProxyFolder
from deploy_plugin.renewal import Renewal
from deploy_plugin.server.files import detached, script
from deploy_plugin.who import who

if TYPE_CHECKING:
    from deploy_plugin.server.base import Result, Server

BY_HAND = (
    "The maintenance page stays up. Put a snapshot that is whole in the database's place, which opens the site again: "
    "pytest-deploy restore {target} {snapshot}"
)


@dataclass(frozen=True, slots=True)
class State:
    """What the server says of a downtime that is not over."""

    since: int = 0
    """Seconds since 1970, by the server's clock."""
    by: str = ""
    tried: str = ""
    """The release that it is for."""
    serving: Sequence[str] = ()
    """The containers that are to serve again."""
    snapshot: str = ""
    failed: str = ""
    """Why the server could not go back."""

    def __str__(self) -> str:
        since = f"{datetime.fromtimestamp(self.since, UTC):%Y-%m-%d %H:%M:%S} UTC"
        failed = f"; going back failed: {self.failed}" if self.failed else ""
        return f"the maintenance page is up since {since}, for {self.tried}, by {self.by}{failed}"


class Downtime:
    """What becomes, in one run, of the downtime that was allowed."""

    def __init__(self, *, allowed: bool = False) -> None:
        self.allowed = allowed
        self.reason = ""
        """Why the migration needs one; empty where it does not."""
        self.begun = False
        self._renewal: Renewal | None = None

    def begin(self, server: Server, containers: Containers, probe: Probe) -> None:
        """Let the server wait for a word of this run, close the site, and let what writes end.

        Requests that are under way are finished first, for ``drain`` seconds at most.
        """
        if look(server, containers.app.name) is None:
            _remember(server, containers, probe)
            waits = confirmation.of(server, containers)
            waits.begin(server)
            there = _way_back(server, containers.app)
            detached(server, closed.WATCH, waits.file, waits.tried, closed.GO_BACK, "sh", *there)
            self._renewal = Renewal(lambda: _renew(waits, server), containers.app.confirm / 4)
            self.begun = True
            _close(server, containers.app)
        _stop_all(server, containers, probe)
        self.begun = True

    def end(self) -> None:
        """Say no more that this run is at work: somebody else does, or it is over."""
        if self._renewal:
            self._renewal.stop()
            self._renewal = None


def look(server: Server, app: str) -> State | None:
    """Say what downtime of the app is not over; None where its site is open."""
    if server.read(ProxyFolder(server.facts.home).page(app)) is None:
        return None
    text = (server.read(_state_file(server, app)) or b"").decode(errors="replace")
    said = dict(line.partition("=")[::2] for line in text.splitlines())
    if "since" not in said:
        return None  # somebody closed it by hand
    return State(
        since=int(said["since"]),
        by=said.get("by", ""),
        tried=said.get("tried", ""),
        serving=said.get("serving", "").split(),
        snapshot=said.get("snapshot", ""),
        failed=said.get("failed", ""),
    )


def go_back(server: Server, app: App, target: str) -> None:
    """Restore the snapshot, let what served before serve again, and open the site; where it is open, nothing happens.

    ``RollbackFailed`` where that can't be done whole: the site stays closed then, and no write is accepted.
    """
    state = look(server, app.name)
    done = _run(server, app)
    if not done.ok:
        snapshot = PurePosixPath(state.snapshot).name if state else "SNAPSHOT"
        raise RollbackFailed(
            "The snapshot could not be restored, or what served before does not serve again.",
            got=done.text,
            hint=BY_HAND.format(target=target, snapshot=snapshot),
        )


def without_data(server: Server, app: App) -> None:
    """Let what served before run again, whatever the database is now; the site stays closed."""
    done = _run(server, app, whole=False)
    if not done.ok:
        raise StepFailed("What served before the downtime can't be started again.", got=done.text)


def commit(server: Server, tried: Containers) -> None:
    """Let visitors in; ``StepFailed`` where the server has gone back already."""
    waits = confirmation.of(server, tried)
    page = ProxyFolder(server.facts.home).page(tried.app.name)
    done = script(server, closed.COMMIT, waits.file, page, _state_file(server, tried.app.name))
    if done.exit_code == confirmation.GONE:
        raise waits.was_too_late()
    if not done.ok:
        raise RollbackFailed(
            "The tests passed, and the maintenance page can't be taken down.",
            got=done.text,
            hint=f"Remove it on the server: {page}",
        )


def open_again(server: Server, app: str) -> None:
    """Take the page down: whoever asks has put things right."""
    script(server, closed.OPEN, ProxyFolder(server.facts.home).page(app), _state_file(server, app))


def _renew(waits: confirmation.Confirmation, server: Server) -> bool:
    with suppress(DeployError):  # a broken connection shows itself elsewhere
        waits.renew(server)
    return True


def _remember(server: Server, containers: Containers, probe: Probe) -> None:
    before = traffic.look(server, containers)
    serves = server.engine.container(before.serving[0]) if before.serving else None
    snapshot = containers.folder.snapshot(containers.release.id)
    behind = before.container in before.serving or not before.serving
    said = {
        "by": who(),
        "tried": containers.release.id,
        "serving": " ".join(before.serving),
        "upstream": (before.upstream or b"").decode().strip(),
        "front": "" if behind or before.proxy else caddy.container_name(containers.target.publish),
        "snapshot": str(snapshot),
        "port": str(port_of(server, serves, probe)) if serves else "",
        "health": probe.path,
        "host": probe.host,
    }
    lines = "".join(f"{key}={value}\n" for key, value in said.items())
    checksum = snapshot.with_name(f"{snapshot.name}.sha256")
    done = script(server, closed.REMEMBER, _state_file(server, containers.app.name), checksum, stdin=lines.encode())
    if not done.ok:
        raise StepFailed("What is to come back after the downtime can't be written down.", got=done.text)


def _close(server: Server, app: App) -> None:
    folder = ProxyFolder(server.facts.home)
    upstreams.make_folder(server, folder)
    page = app.maintenance.read_bytes() if app.maintenance else _page()
    server.write(folder.page(app.name), page, mode=READABLE)


def _page() -> bytes:
    return files("deploy_plugin.proxy").joinpath("maintenance.html").read_bytes()


def _stop_all(server: Server, containers: Containers, probe: Probe) -> None:
    app = containers.app
    for one in server.engine.containers({APP: app.name}):
        if one.running:
            idle = ("python", "-c", closed.IDLE, str(port_of(server, one, probe)), str(app.drain))
            with suppress(StepFailed):  # it then has what its own end takes
                server.engine.exec(one.name, idle)
            server.engine.stop(one.name, patience=max(app.drain, 1))


def _run(server: Server, app: App, *, whole: bool = True) -> Result:
    return script(server, closed.GO_BACK, *_way_back(server, app, whole=whole))


def _way_back(server: Server, app: App, *, whole: bool = True) -> Sequence[str | PurePosixPath]:
    """Give the arguments of ``closed.GO_BACK``."""
    folder, proxy = AppFolder(server.facts.home, app.name), ProxyFolder(server.facts.home)
    return (
        _state_file(server, app.name),
        proxy.page(app.name),
        proxy.upstream(app.name),
        app.name,
        folder.data / app.database.name if app.database else "",
        closed.ASK,
        "yes" if whole else "no",
    )


def _state_file(server: Server, app: str) -> PurePosixPath:
    return AppFolder(server.facts.home, app).downtime
