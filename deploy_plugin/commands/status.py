"""``pytest-deploy status``: what serves on targets, since when, and how it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from deploy_plugin import disk, downtime, records
from deploy_plugin.commands.found import folder_of, is_live, latest, nothing_serves
from deploy_plugin.commands.output import columns, say, say_json, when
from deploy_plugin.commands.project import connected
from deploy_plugin.containers import COMMIT, IMAGE, RELEASE
from deploy_plugin.disk import Disk
from deploy_plugin.errors import DeployError, StepFailed
from deploy_plugin.health import Probe, is_healthy
from deploy_plugin.models import App, AppFolder

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest

    from deploy_plugin.server.base import Server
    from deploy_plugin.server.engine import Container
    from deploy_plugin.session import Session

RECORDS = 5


@dataclass(frozen=True, slots=True)
class Status:
    """What was seen of one target; what is not known is None."""

    target: str
    destination: str | None = None
    url: str | None = None
    live: bool | None = None
    app: str | None = None
    release: str | None = None
    commit: str | None = None
    image: str | None = None
    since: str | None = None
    """When it was deployed, in UTC."""
    container: str | None = None
    state: str | None = None
    """As Docker says it: ``running``, ``exited``."""
    started: str | None = None
    """When the container was last started: after a crash or a reboot that is later than ``since``."""
    healthy: bool | None = None
    maintenance: str | None = None
    """Of a downtime that is not over: since when the page is up, for which release, and by whom."""
    disk_used: int | None = None
    """Bytes in the app's folder."""
    disk_data: int | None = None
    disk_snapshots: int | None = None
    disk_images: int | None = None
    """Bytes of all its images; a layer that several have counts once."""
    disk_free: int | None = None
    records: Sequence[Mapping[str, Any]] = ()
    """The last ones, the newest first."""
    error: str | None = None
    exit_code: int = 0


def status(options: Namespace, config: pytest.Config) -> int:
    """Look at all targets at once; one that can't be looked at hides no other, and the worst exit code counts."""
    with ExitStack() as open_ones, ThreadPoolExecutor(max_workers=len(options.targets)) as pool:
        opened = [_opened(open_ones, config, name) for name in options.targets]
        seen = list(pool.map(_look, opened))
    if options.json:
        say_json([asdict(one) for one in seen])
    else:
        say("\n\n".join(map(_shown, seen)))
    return max(one.exit_code for one in seen)


def _opened(open_ones: ExitStack, config: pytest.Config, name: str) -> tuple[Session, Server] | Status:
    try:
        return open_ones.enter_context(connected(config, name))
    except DeployError as error:
        return _failed(Status(name), error)


def _look(opened: tuple[Session, Server] | Status) -> Status:
    if isinstance(opened, Status):
        return opened
    session, server = opened
    app, target = session.app, session.target
    seen = Status(target.name, target.destination, target.url, target.live, app.name)
    try:
        folder = folder_of(server, session)
        seen = replace(_with_folder(seen, server, app, folder), live=is_live(server, session))
        if closed := downtime.look(server, app.name):
            seen = replace(seen, maintenance=str(closed), exit_code=StepFailed.exit_code)
        container = latest(server, session)
        if container is None:
            raise nothing_serves(session)
        seen = _with_container(seen, server, container, folder)
        healthy = container.running and is_healthy(server, container, Probe.of(app, target))
    except DeployError as error:
        return _failed(seen, error)
    is_well = healthy and not seen.maintenance
    return replace(seen, healthy=healthy, exit_code=0 if is_well else StepFailed.exit_code)


def _with_folder(seen: Status, server: Server, app: App, folder: AppFolder) -> Status:
    found = disk.look(server, app)
    return replace(
        seen,
        disk_used=found.used,
        disk_data=found.data,
        disk_snapshots=found.snapshots,
        disk_images=found.images,
        disk_free=found.free,
        records=records.every(server, folder).records[:RECORDS],
    )


def _with_container(seen: Status, server: Server, container: Container, folder: AppFolder) -> Status:
    labels = container.labels
    record = records.record(server, folder, labels.get(RELEASE, "")) or {}
    return replace(
        seen,
        release=labels.get(RELEASE),
        commit=labels.get(COMMIT) or None,
        image=labels.get(IMAGE),
        since=record.get("deployed"),
        container=container.name,
        state=container.status,
        started=container.started or None,
    )


def _failed(seen: Status, error: DeployError) -> Status:
    return replace(seen, error=str(error), exit_code=error.exit_code)


def _shown(seen: Status) -> str:
    rows = [(f"  {word}", text) for word, text in _facts(seen) if text]
    title = f"{seen.target}{' (LIVE)' if seen.live else ''}{f': {seen.app}, {seen.url}' if seen.app else ''}"
    problem = [f"  {line}" for line in (seen.error or "").splitlines()]
    return "\n".join([title, *([columns(rows)] if rows else []), *problem])


def _facts(seen: Status) -> list[tuple[str, str | None]]:
    health = "healthy" if seen.healthy else "not healthy"
    started = f", started {when(seen.started)}" if seen.started else ""
    taken = Disk(seen.disk_used, seen.disk_data, seen.disk_snapshots, seen.disk_free, seen.disk_images)
    return [
        ("server", seen.destination),
        ("CLOSED", seen.maintenance),
        ("release", seen.release and f"{seen.release}{f', since {when(seen.since)}' if seen.since else ''}"),
        ("commit", seen.commit),
        ("image", seen.image),
        ("container", seen.container and f"{seen.container}: {seen.state}, {health}{started}"),
        ("disk", str(taken)),
        *((("records" if first else ""), _record(record)) for first, record in _firsts(seen.records)),
    ]


def _firsts(rows: Sequence[Mapping[str, Any]]) -> list[tuple[bool, Mapping[str, Any]]]:
    return [(number == 0, row) for number, row in enumerate(rows)]


def _record(record: Mapping[str, Any]) -> str:
    return f"{record.get('release')}  {when(record.get('deployed'))}  {record.get('by')}"
