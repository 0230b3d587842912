"""Put a snapshot, or nothing, in the place of an app's database: prepared on a copy, then one rename."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.containers import Containers
from deploy_plugin.database import programs, rehearsal, snapshots
from deploy_plugin.errors import StepFailed
from deploy_plugin.health import Probe
from deploy_plugin.server.files import script
from deploy_plugin.standstill import standstill

if TYPE_CHECKING:
    from deploy_plugin.database.kept import Kept
    from deploy_plugin.server.base import Server

_PREPARED = PurePosixPath("/prepared")
_EMPTY = """
set -e
umask 077
: > "$1"
if [ "$(id -u)" = 0 ]; then chown -- "$2" "$1"; fi
"""
# A database that can't be read is kept as it is. $1: the database, $2: where
_KEEP = 'set -e; umask 077; for end in "" -wal; do if [ -e "$1$end" ]; then cp -- "$1$end" "$2$end"; fi; done'


@dataclass(frozen=True, slots=True)
class Difference:
    """What would become of the rows that are there now."""

    tables: Mapping[str, tuple[int, int]]
    """For each table that differs: how many rows would go, and how many would come."""
    unreadable: str = ""
    """Why that is not known."""

    @property
    def loses(self) -> bool:
        return bool(self.unreadable) or any(going for going, _ in self.tables.values())

    def __str__(self) -> str:
        if self.unreadable:
            return f"The database can't be read, so nobody knows which rows would go: {self.unreadable}"
        lines = [
            f"{table}: {going} rows would go, {coming} would come" for table, (going, coming) in self.tables.items()
        ]
        return "\n".join(lines) or "Every row stays as it is."


@contextmanager
def prepared(server: Server, containers: Containers, snapshot: Kept | None) -> Iterator[Difference]:
    """Make the database that is to be, apart from the one that is, and tell them apart; it is gone afterwards.

    An empty one where there is no ``snapshot``. It gets the migrations of the release, which lives with it then.
    """
    folder = containers.folder
    path = folder.rehearsal / containers.database.name
    snapshots.remove_folder(server, folder.rehearsal)
    try:
        snapshots.make_folder(server, containers, folder.rehearsal)
        if snapshot:
            snapshots.copy(server, containers, snapshot.path, path)
        else:
            script(server, _EMPTY, path, ":".join(map(str, containers.user)))
        made = rehearsal.rehearse(server, containers)
        if made.error:
            raise StepFailed(
                f"{containers.release.id} can't bring its schema to the snapshot, so nothing was changed.",
                got=f"{made.error['kind']}: {made.error['message'] or made.error['place']}",
                hint="Let the release of that time serve first, or deploy one that can.",
            )
        yield compare(server, containers)
    finally:
        snapshots.remove_folder(server, folder.rehearsal)


def put_in_place(server: Server, containers: Containers, probe: Probe, *, why: str) -> str:
    """Stop who writes, keep what is there, put what was prepared in its place, start them again; name the snapshot.

    Whatever fails, they are started again. ``why`` becomes a part of the snapshot's name.
    """
    folder, database = containers.folder, containers.database
    kept = folder.snapshots / f"db-{datetime.now(UTC):%Y%m%d-%H%M%S}-{why}.sqlite3"
    with standstill(server, containers, probe):
        try:
            snapshots.take(server, containers, kept)
        except StepFailed:
            _keep_as_it_is(server, folder.data / database.name, kept)
        spec = replace(
            containers.program("replace"),
            command=("python", "-c", programs.text("replace"), str(_PREPARED / database.name), str(database)),
            mounts={folder.data: database.parent},
            reads={folder.rehearsal: _PREPARED},
            network="none",
        )
        done = server.engine.run_once(spec)
        if not done.ok:
            raise StepFailed("The database could not be put in place.", got=done.text, hint=f"As it was: {kept}")
    return kept.name


def compare(server: Server, containers: Containers) -> Difference:
    """Tell the app's database and the one in the rehearsal's folder apart."""
    folder, database = containers.folder, containers.database
    command = ("python", "-c", programs.text("compare"), str(database), str(_PREPARED / database.name))
    done = server.engine.run_once(
        replace(
            containers.program("compare"),
            command=command,
            mounts={folder.data: database.parent, folder.rehearsal: _PREPARED},
            network="none",
        )
    )
    if not done.ok:
        return Difference({}, unreadable=done.text.strip().rpartition("\n")[2])
    found = programs.answer(done, "Comparing it with the database")
    return Difference({table: (going, coming) for table, (going, coming) in found.items()})


def _keep_as_it_is(server: Server, database: PurePosixPath, kept: PurePosixPath) -> None:
    done = script(server, _KEEP, database, kept)
    if not done.ok:
        raise StepFailed("The database that is there can't be kept, so nothing was changed.", got=done.text)
