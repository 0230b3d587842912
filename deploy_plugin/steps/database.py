"""A place for the database that outlives containers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

# $1: the database; $2: uid:gid of the app
_CHECK = r"""
folder=$(dirname -- "$1")
[ -d "$folder" ] || { echo "$folder is missing"; exit; }
[ -e "$1" ] || { echo "$1 is missing"; exit; }
for path in "$folder" "$1"; do
    owner=$(stat -c %u:%g -- "$path")
    [ "$owner" = "$2" ] || { echo "$path belongs to $owner, not to $2"; exit; }
done
"""
_APPLY = r"""
set -e
umask 077
folder=$(dirname -- "$1")
mkdir -p -- "$folder"
[ -e "$1" ] || : > "$1"
if [ "$(id -u)" = 0 ]; then chown -- "$2" "$folder" "$1"; fi
"""


@dataclass(frozen=True, slots=True)
class EnsureDatabase:
    """Make the folder that is mounted, and an empty SQLite file in it; one that is there is never touched."""

    path: PurePosixPath
    owner: tuple[int, int]
    title: str = "Ensure database"

    def check(self, server: Server) -> str | None:
        return self._script(server, _CHECK) or None

    def apply(self, server: Server) -> None:
        self._script(server, _APPLY)
        if left := self.check(server):
            raise StepFailed(f"The database's place is not right: {left}.", hint="Put it right on the server, as root.")

    def _script(self, server: Server, text: str) -> str:
        done = script(server, text, self.path, ":".join(map(str, self.owner)))
        if not done.ok:
            hint = hint_for(done.text, "Put it right on the server, as root.")
            raise StepFailed(f"{self.path} can't be made ready.", got=done.text, hint=hint)
        return done.stdout.decode().strip()
