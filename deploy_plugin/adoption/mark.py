"""From the stop of the old container on, the server can put it back by itself, whatever becomes of the run.

Three names of one file in the app's folder say how far it is: ``adopting``, and the old one comes back where the run's
lease ends; ``adopting.done``, and the new one serves, whatever happens; ``adopting.back`` while it is being put back.
Of the two renames that begin with the first name, one succeeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.containers import Containers
from deploy_plugin.errors import RollbackFailed, StepFailed
from deploy_plugin.lease_file import SAYS
from deploy_plugin.models import AppFolder
from deploy_plugin.server.files import detached, script

if TYPE_CHECKING:
    from deploy_plugin.lease import Lease
    from deploy_plugin.server.base import Server

# $1: the file; then its lines
_BEGIN = r"""
set -e
umask 077
file=$1
shift
printf '%s\n' "$@" > "$file.new"
mv -- "$file.new" "$file"
"""
_DONE = 'mv -- "$1" "$1.done"'
# $1: the file, which holds the old container, the new one, its database and its record, a line each. One at a time
# decides.
_DECIDE = r"""
alone() { exec 8<"$(dirname -- "$1")" && flock 8; }
back() {
    mv -- "$1" "$1.back" 2>/dev/null
    [ -e "$1.back" ] || return 0
    { read -r old; read -r new; read -r database; read -r record; } < "$1.back"
    # What copied the database may still be at it.
    docker rm -f "$new" "$new-snapshot" "$new-compare"
    rm -f -- "$database" "$database-wal" "$database-shm" "$record" "${record%.json}.env"
    docker start "$old" && rm -f -- "$1.back"
}
forward() {
    [ -e "$1.done" ] || return 0
    { read -r old; read -r new; } < "$1.done"
    docker start "$new" && docker update --restart=no "$old" && rm -f -- "$1.done"
}
"""
# $1: the file; $2: the lease; $3: its token. It ends when neither name is there: somebody decided.
_WATCH = f"""{_DECIDE}
{SAYS}
while sleep 1; do
    [ -e "$1" ] || [ -e "$1.done" ] || exit
    [ "$(says "$2" token)" = "$3" ] && [ "$(says "$2" expires)" -gt "$(date +%s)" ] && continue
    alone "$1"
    back "$1"
    forward "$1"
    exit
done
"""
_SETTLE = f'{_DECIDE}\nalone "$1"; back "$1"; forward "$1"; [ ! -e "$1.back" ] && [ ! -e "$1.done" ]'
_TURN = 'mv -- "$1.done" "$1"'


@dataclass(frozen=True, slots=True)
class Mark:
    """Of one takeover on one server."""

    file: PurePosixPath

    @classmethod
    def of(cls, folder: AppFolder) -> Mark:
        return cls(folder.adopting)

    def begin(self, server: Server, lease: Lease, new: Containers, old: str) -> None:
        """Let the server put the old container back, and take the new one away, once the lease is not this run's."""
        folder = new.folder
        database = folder.data / new.database.name
        done = script(server, _BEGIN, self.file, old, new.serving.name, database, folder.record(new.release.id))
        if not done.ok:
            raise StepFailed("The server can't be made to put the old container back.", got=done.text)
        detached(server, _WATCH, self.file, folder.lease, str(lease.token))

    def no_way_back(self, server: Server) -> None:
        """From here on the new one is to serve; ``StepFailed`` where the old one was put back already."""
        done = script(server, _DONE, self.file)
        if not done.ok:
            raise StepFailed("The server put the old container back meanwhile.", hint="Adopt again.")

    def turn_back(self, server: Server) -> None:
        """Put the old one back after all: the new one could not be started, so nobody has written to it."""
        script(server, _TURN, self.file)
        self.settle(server)

    def settle(self, server: Server) -> None:
        """Bring to its end what was begun: the old one serves, or the new one; nothing where nothing was begun."""
        done = script(server, _SETTLE, self.file)
        if not done.ok:
            raise RollbackFailed(
                f"A takeover was begun here and can't be ended; {self.file}.* names the containers.",
                got=done.text,
                hint="Look at the server now: docker ps -a. Start the old container, remove that file, adopt again.",
            )
