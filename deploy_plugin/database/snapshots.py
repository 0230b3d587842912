"""Snapshots: copies of the database that were seen to be whole, made while the app goes on writing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.containers import Containers
from deploy_plugin.database import programs
from deploy_plugin.errors import StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

_SOURCE, _COPIES = PurePosixPath("/source"), PurePosixPath("/copies")
_MAKE_FOLDER = r"""
set -e
umask 077
mkdir -p -- "$1"
if [ "$(id -u)" = 0 ]; then chown -- "$2" "$1"; fi
"""
# Who opens an empty file in WAL mode leaves one page in it: 4096 bytes, and no table. New tables may be in -wal alone.
_HOLDS_TABLES = '[ -s "$1-wal" ] || { [ -s "$1" ] && [ "$(stat -c %s -- "$1")" != 4096 ]; }'


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy that is whole."""

    path: PurePosixPath
    sha256: str


def holds_anything(server: Server, containers: Containers) -> bool:
    """Whether there is a database that a migration could harm: an app's first release begins with an empty file."""
    app = containers.app
    return bool(app.database and script(server, _HOLDS_TABLES, containers.folder.data / app.database.name).ok)


def take(server: Server, containers: Containers, path: PurePosixPath) -> Snapshot:
    """Copy the app's database to ``path`` on the server, and its checksum beside it; both 0600, the app's own."""
    return copy(server, containers, containers.folder.data / containers.database.name, path)


def copy(server: Server, containers: Containers, source: PurePosixPath, path: PurePosixPath) -> Snapshot:
    """The same, of any database on the server."""
    digest = duplicate(server, containers, source, path)
    server.write(path.with_name(f"{path.name}.sha256"), f"{digest}  {path.name}\n".encode(), mode=0o600)
    return Snapshot(path, digest)


def duplicate(server: Server, containers: Containers, source: PurePosixPath, path: PurePosixPath) -> str:
    """Copy a database that is whole, with what is only in its journal, and see that the copy is; give its SHA-256."""
    make_folder(server, containers, path.parent)
    done = server.engine.run_once(
        replace(
            containers.program("snapshot"),
            command=("python", "-c", programs.text("snapshot"), str(_SOURCE / source.name), str(_COPIES / path.name)),
            mounts={source.parent: _SOURCE, path.parent: _COPIES},
            network="none",
        )
    )
    if not done.ok:
        raise StepFailed(
            "No snapshot of the database could be taken, so nothing was changed.",
            got="\n".join(done.text.splitlines()[-5:]),
            hint=hint_for(done.text, f"Look at it on the server: {source}"),
        )
    return done.stdout.strip().splitlines()[-1]


def make_folder(server: Server, containers: Containers, folder: PurePosixPath) -> None:
    done = script(server, _MAKE_FOLDER, folder, ":".join(map(str, containers.user)))
    if not done.ok:
        raise StepFailed(f"{folder} can't be made.", got=done.text, hint=hint_for(done.text))


def remove_folder(server: Server, folder: PurePosixPath) -> None:
    script(server, 'rm -rf -- "$1"', folder)
