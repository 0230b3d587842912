"""A switch that has to be confirmed: the server takes it back by itself unless the run says in time that it stays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.containers import Containers
from deploy_plugin.errors import StepFailed
from deploy_plugin.models import AppFolder
from deploy_plugin.proxy import caddy
from deploy_plugin.proxy.upstreams import ProxyFolder
from deploy_plugin.server.files import detached, script
from deploy_plugin.traffic import Traffic

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

TAKEOVER = 90
"""Seconds that the port is empty at most where the run goes away while it changes hands: longer than that takes."""
# $1: the file with the deadline, in seconds of the server's clock, and who waits; $2: seconds from now; $3: who.
_WRITE = """
set -e
umask 077
mkdir -p -- "$(dirname -- "$1")"
printf '%s %s\\n' "$(($(date +%s) + $2))" "$3" > "$1.new"
mv -f -- "$1.new" "$1"
"""
_RENEW = '[ -e "$1" ] || exit 44' + _WRITE
# Of this and the watch's own rename, one succeeds.
_END = 'mv -- "$1" "$1.done" 2>/dev/null || exit 44; rm -f -- "$1.done"'
GONE = 44
UNTIL_EXPIRED = """
file=$1 tried=$2 expired=
shift 2
while sleep 1; do
    { read -r deadline name < "$file"; } 2>/dev/null || exit 0
    [ "$name" = "$tried" ] || exit 0
    [ "$(date +%s)" -lt "$deadline" ] && continue
    mv -- "$file" "$file.expired" 2>/dev/null || exit 0
    expired=yes
    break
done
[ "$expired" ] || exit
"""
"""What a job on the server begins with: what follows is run once the deadline in the file $1 has passed for $2.

It ends before where the file is gone, or another's: somebody decided. What follows removes ``$file.expired``.
"""
# Then: $1: the file that says where visitors go; $2: what it said before, if anything; $3: the container that holds the
# port now; then those that held it before, if others did.
_WATCH = f"""{UNTIL_EXPIRED}
upstream=$1 before=$2 front=$3
shift 3
if [ $# -gt 0 ]; then
    docker stop "$front"
    docker start "$@"
fi
if [ -z "$before" ]; then
    rm -f -- "$upstream"
else
    printf '%s\\n' "$before" > "$upstream.back"
    chmod 644 "$upstream.back"
    mv -f -- "$upstream.back" "$upstream"
fi
rm -f -- "$file.expired"
"""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Waited for by a job on the server, which is left to itself when this run goes away."""

    file: PurePosixPath
    seconds: int
    tried: str
    """The container that is to be confirmed."""

    def await_it(self, server: Server, tried: Containers, before: Traffic, *, port_is_away: bool = False) -> None:
        """Begin to wait; to be done before visitors are sent to the release that is tried.

        ``before`` is where they go now: where nothing serves there is nothing to go back to. ``port_is_away``: nobody
        answers until ``renew`` is called, so the server is not to wait long for that.
        """
        if not before.serving:
            return
        self._write(server, _WRITE, min(TAKEOVER, self.seconds) if port_is_away else self.seconds)
        upstream = ProxyFolder(server.facts.home).upstream(tried.app.name)
        told = (before.upstream or b"").decode().strip()
        front = caddy.container_name(tried.target.publish) if tried.app.proxied else tried.serving.name
        detached(
            server,
            _WATCH,
            self.file,
            self.tried,
            upstream,
            told,
            front,
            *(() if before.proxy and tried.app.proxied else before.published),
        )

    def begin(self, server: Server) -> None:
        """Write down until when; whoever waits there looks at it."""
        self._write(server, _WRITE, self.seconds)

    def renew(self, server: Server) -> None:
        """Let it wait anew, from now on; nothing where it does not wait any more."""
        self._write(server, _RENEW, self.seconds)

    def end(self, server: Server) -> None:
        """It stays, or somebody else takes it back; ``StepFailed`` where the server did already."""
        if script(server, _END, self.file).exit_code == GONE:
            raise self.was_too_late()

    def was_too_late(self) -> StepFailed:
        """Say that the server has gone back already."""
        return StepFailed(
            f"Nobody confirmed the new release within {self.seconds} s, so the server went back by itself to the "
            "one that served before.",
            hint="Deploy again. Where the connection may be away for longer: confirm in deploy.toml.",
        )

    def discard(self, server: Server) -> None:
        """Whoever asks has decided already."""
        script(server, _END, self.file)

    def _write(self, server: Server, text: str, seconds: int) -> None:
        done = script(server, text, self.file, str(seconds), self.tried)
        if not done.ok and done.exit_code != GONE:
            raise StepFailed("The server can't be made to wait for a confirmation.", got=done.text)


def of(server: Server, containers: Containers) -> Confirmation:
    folder = AppFolder(server.facts.home, containers.app.name)
    return Confirmation(folder.unconfirmed, containers.app.confirm, containers.serving.name)
