"""The takeover: all is made ready and tried while the old container serves; then it stops, and its database moves.

What serves afterwards is the same code with the same settings, as a release of ours: the next deploy finds a release
before it, which can be rehearsed with and gone back to like any other.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin import records, settings
from deploy_plugin.adoption import copies
from deploy_plugin.adoption.mark import Mark
from deploy_plugin.adoption.old import Old
from deploy_plugin.containers import Containers, manage_command, remove_candidates
from deploy_plugin.database import programs, restore, snapshots
from deploy_plugin.database.migrations import Migrations
from deploy_plugin.errors import DeployError, RollbackFailed, StepFailed
from deploy_plugin.health import PATIENCE
from deploy_plugin.models import App, AppFolder, Release, Target
from deploy_plugin.records import ADOPTED
from deploy_plugin.steps.env_file import EnsureEnvFile
from deploy_plugin.steps.record import KeepRecord
from deploy_plugin.steps.release_settings import KeepSettings
from deploy_plugin.steps.target import RememberTarget
from deploy_plugin.steps.volumes import EnsureVolumes

if TYPE_CHECKING:
    from deploy_plugin.lease import Lease
    from deploy_plugin.server.base import Server
    from deploy_plugin.steps.base import Step

_PAUSE = 0.1
_CREATED = "created"
"""The status of a container that never ran."""
_OUR_RULES = (
    "Containers of ours run as the deploy user, and write nowhere but to their database, their volumes, /tmp and their "
    "home: see containers in docs/reference/on-the-server.md. Let the old site live with that first."
)


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of it."""

    container: str
    snapshot: str
    away: float
    """Seconds for which nobody answered visitors."""


def as_release(server: Server, app: App, target: Target, old: Old) -> Containers:
    """Say how the old site is run as a release of ours, which holds the port itself, as it did.

    Its health path is the app's, or else the home page: the old code may not have the other.
    """
    made_from = f"{old.made.image} {old.named} {app.database}"
    digest = hashlib.sha256(made_from.encode()).hexdigest()[:12]
    return Containers(
        app=replace(app, proxied=False, port=old.port, health=app.health if old.is_healthy else "/"),
        target=target,
        folder=AppFolder(server.facts.home, app.name),
        user=server.facts.app_user,
        release=Release(f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{ADOPTED}", "", f"{app.name}:{ADOPTED}-{digest}"),
        settings=old.settings,
    )


def adopt(server: Server, lease: Lease, old: Old, new: Containers, say: Callable[[str], None]) -> Adopted:
    """Take it over; whatever fails, the old container serves, and its database is as it was."""
    require_no_data(server, new)
    answer = _answer(server, old.container, new, old)
    say(f"{old.container} goes on serving meanwhile.")
    snapshot = _snapshot(server, old, new)
    say(f"A snapshot is taken and whole: {snapshot.name}")
    _make_ready(server, old, new)
    _try_on_copy(server, old, new, snapshot, answer)
    say("On a copy it runs as a release of ours, and answers as before.")
    away = _move(server, lease, old, new, answer)
    return Adopted(new.serving.name, snapshot.name, away)


def require_no_data(server: Server, new: Containers) -> None:
    """Refuse where another database is where this one is to be."""
    if snapshots.holds_anything(server, new):
        raise StepFailed(
            f"There is a database already in {new.folder.data}, and it would be replaced.",
            hint="Find out what it holds. If nothing is wanted of it, move it away on the server, then adopt again.",
        )


def _snapshot(server: Server, old: Old, new: Containers) -> PurePosixPath:
    path = new.folder.snapshot(new.release.id)
    copies.snapshot(server, old.container, old.database, path, _owner(new))
    return path


def _make_ready(server: Server, old: Old, new: Containers) -> None:
    """Put everything there that changes nothing for anybody."""
    folder, app = new.folder, new.app
    links = {old.named: new.database} if old.named != new.database else {}
    server.engine.derive(old.container, new.release.image, links)
    snapshots.make_folder(server, new, folder.data)
    kept = settings.parse(server.read(folder.env_file) or b"")
    steps: list[Step] = [
        RememberTarget(folder.target_file, app.name, new.target.live),
        EnsureEnvFile(folder.env_file, {**old.secrets, **kept}),
        *([EnsureVolumes([folder.volume(name) for name in app.volumes], new.user)] if app.volumes else []),
    ]
    for step in steps:
        if step.check(server) is not None:
            step.apply(server)


def _write_down(server: Server, old: Old, new: Containers) -> None:
    folder = new.folder
    KeepSettings(folder.settings(new.release.id), new.settings).apply(server)
    KeepRecord(Migrations(new)).apply(server)
    told = {
        "container": old.container,
        "image": old.made.image,
        "database": str(old.database),
        "release": new.release.id,
        **records.stamp(),
    }
    server.write(folder.path / "adopted.json", json.dumps(told, indent=2).encode() + b"\n", mode=0o600)


def _try_on_copy(server: Server, old: Old, new: Containers, snapshot: PurePosixPath, answer: int) -> None:
    """Let it run as ours do, on a copy: it has to use that, with the same key, and to answer as it does now."""
    candidate, folder = new.on_copy(new.candidate), new.folder
    snapshots.remove_folder(server, folder.rehearsal)
    remove_candidates(server, new.app)
    try:
        snapshots.duplicate(server, new, snapshot, folder.rehearsal / new.database.name)
        server.engine.start(candidate)
        _await(server, candidate.name, new, old, answer)
        asked = server.engine.exec(candidate.name, manage_command(new.app, "shell", "-c", programs.text("describe")))
        said = programs.answer(asked, f"Asking {candidate.name} what it runs with")
        if (said["database"], said["key"]) != (str(new.database), old.key_digest):
            raise StepFailed(
                f"As a release of ours {old.container} would use {said['database'] or 'another database'}, or "
                "another key: nothing was changed.",
                hint="Its database, its key: they must come from its environment or its image.",
            )
    finally:
        remove_candidates(server, new.app)
        snapshots.remove_folder(server, folder.rehearsal)


def _move(server: Server, lease: Lease, old: Old, new: Containers, answer: int) -> float:
    name, mark = new.serving.name, Mark.of(new.folder)
    server.engine.remove(name)
    server.engine.create(new.serving)
    with _or_back(server, mark):
        mark.begin(server, lease, new, old.container)
        _write_down(server, old, new)
        since = time.monotonic()
        server.engine.stop(old.container)
        _move_data(server, old, new)
        mark.no_way_back(server)
    try:
        server.engine.start_again(name)
    except StepFailed:
        left = server.engine.container(name)
        if left and left.status == _CREATED:
            mark.turn_back(server)
        raise
    try:
        _await(server, name, new, old, answer)
    except StepFailed as error:
        raise RollbackFailed(
            f"{name} has the data now, and does not answer as {old.container} did.",
            got=str(error),
            hint="What was written since is there alone: look at it before anything else, docker logs -f " + name,
        ) from error
    away = time.monotonic() - since
    mark.settle(server)
    return away


@contextmanager
def _or_back(server: Server, mark: Mark) -> Iterator[None]:
    """Let the old container serve again if what is done meanwhile does not succeed."""
    try:
        yield
    except BaseException as error:
        try:
            mark.settle(server)
        except RollbackFailed as second:
            raise second from error
        except DeployError:
            pass  # whoever can't be reached, or is not allowed to any more, is not waited for
        raise


def _move_data(server: Server, old: Old, new: Containers) -> None:
    folder, name = new.folder, new.database.name
    try:
        snapshots.make_folder(server, new, folder.rehearsal)
        copies.files(server, old.container, old.database, folder.rehearsal / name, _owner(new))
        snapshots.duplicate(server, new, folder.rehearsal / name, folder.data / name)
        difference = restore.compare(server, new)
        if difference.tables or difference.unreadable:
            raise StepFailed("The database that was moved is not the one that was there.", got=str(difference))
        for volume, path in new.app.volumes.items():
            if path in {mount.path for mount in old.made.mounts}:
                copies.folder(server, old.container, path, folder.volume(volume))
    finally:
        with suppress(DeployError):
            snapshots.remove_folder(server, folder.rehearsal)


def _answer(server: Server, name: str, new: Containers, old: Old) -> int:
    """Ask it as a visitor would, and give the status."""
    container = server.engine.container(name)
    if container is None or not container.running:
        raise StepFailed(
            f"{name} does not run as a release of ours.",
            got=server.engine.logs(name) if container else "",
            hint=_OUR_RULES,
        )
    return server.get(container.address, old.port, new.app.health, host=new.target.netloc).status


def _await(server: Server, name: str, new: Containers, old: Old, answer: int) -> None:
    """Wait until it answers as it did before."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            status = _answer(server, name, new, old)
            if status == answer:
                return
            last = f"{new.app.health} answers {status}."
        except OSError:
            last = f"Nothing answers on port {old.port}."
        if time.monotonic() > deadline:
            raise StepFailed(
                f"{name} does not answer as {old.container} does, which says {answer}. {last}",
                got=server.engine.logs(name),
                hint=_OUR_RULES,
            )
        time.sleep(_PAUSE)


def _owner(new: Containers) -> str:
    return ":".join(map(str, new.user))
