"""The database of a container that is not ours, in this container's own view: its journal may be nowhere else."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.database import programs
from deploy_plugin.errors import StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

# $1: the container; $2: the database in it; $3: the program; $4: where to, on the server; $5: a name for meanwhile in
# the container; $6: whose
_SNAPSHOT = r"""
set -e
umask 077
mkdir -p -- "$(dirname -- "$4")"
trap 'docker exec "$1" rm -f "$5"; rm -f -- "$4.new"' EXIT
digest=$(docker exec "$1" python -c "$3" "$2" "$5")
docker exec "$1" cat "$5" > "$4.new"
echo "$digest  $4.new" | sha256sum -c - >/dev/null
mv -- "$4.new" "$4"
echo "$digest  ${4##*/}" > "$4.sha256"
if [ "$(id -u)" = 0 ]; then chown -- "$6" "$(dirname -- "$4")" "$4"; fi
"""
# $1: the container; $2: the database in it; $3: where to; $4: whose. What is not there says so in one of two ways.
_FILES = r"""
set -e
umask 077
for end in "" -wal -journal; do
    if said=$(docker cp -L "$1:$2$end" "$3$end" 2>&1); then
        chmod 600 -- "$3$end"
        if [ "$(id -u)" = 0 ]; then chown -- "$4" "$3$end"; fi
        continue
    fi
    case "$end: $said" in
    -*"o such container:path"* | -*"ould not find the file"*) ;;
    *) echo "$said" >&2; exit 1 ;;
    esac
done
"""
_FOLDER = 'docker cp "$1:$2/." "$3/"'


def snapshot(server: Server, container: str, database: PurePosixPath, path: PurePosixPath, owner: str) -> None:
    """Take a verified copy while it serves, and its checksum beside it."""
    meanwhile = f"/tmp/{path.name}"  # noqa: S108 - in the container
    done = script(server, _SNAPSHOT, container, database, programs.text("snapshot"), path, meanwhile, owner)
    if not done.ok:
        raise StepFailed(
            f"No snapshot of {container}'s database could be taken, so nothing was changed.",
            got="\n".join(done.text.splitlines()[-5:]),
            hint=hint_for(done.text, "The container needs Python, and room in its /tmp for a copy."),
        )


def files(server: Server, container: str, database: PurePosixPath, path: PurePosixPath, owner: str) -> None:
    """Copy the file, and the journal beside it, out of a container that was stopped, to ``path`` on the server."""
    done = script(server, _FILES, container, database, path, owner)
    if not done.ok:
        raise StepFailed(f"The database can't be copied out of {container}.", got=done.text, hint=hint_for(done.text))


def folder(server: Server, container: str, inside: PurePosixPath, path: PurePosixPath) -> None:
    """Copy a folder with all that is in it."""
    done = script(server, _FOLDER, container, inside, path)
    if not done.ok:
        raise StepFailed(f"{inside} can't be copied out of {container}.", got=done.text, hint=hint_for(done.text))
