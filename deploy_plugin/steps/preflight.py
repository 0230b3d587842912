"""What a deploy would run into, or over, found before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin import traces
from deploy_plugin.containers import APP, FOLDER, ROLE
from deploy_plugin.errors import StepFailed
from deploy_plugin.models import App, AppFolder, Target
from deploy_plugin.proxy import caddy
from deploy_plugin.proxy.upstreams import ProxyFolder
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server
    from deploy_plugin.server.engine import Listed

# $1: the app; $2: its folder; $3: the port.
# The kernel's table says that somebody listens and as whom; only ss knows a name, and only where we may.
_LOOK = r"""
for folder in /home/*/deploy/"$1" /root/deploy/"$1"; do
    if [ -d "$folder/releases" ] && ! [ "$folder" -ef "$2" ]; then echo "folder=$folder"; fi
done
if command -v awk >/dev/null; then
    awk -v port="$(printf %04X "$3")" '$4 == "0A" && substr($2, length($2) - 3) == port { print $8 }' \
        /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r uid; do
        echo "user=$(id -nu "$uid" 2>/dev/null || echo "$uid")"
    done
fi
if command -v ss >/dev/null; then
    ss -Hltnp "sport = :$3" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)".*/process=\1/p'
fi
true
"""


@dataclass(frozen=True, slots=True)
class Preflight:
    """Stop where the app is another user's here, was deployed by other means, or where its port is somebody else's."""

    app: App
    target: Target
    title: str = "Preflight"

    def check(self, server: Server) -> str | None:
        folder = AppFolder(server.facts.home, self.app.name)
        there = server.engine.listing() if server.facts.docker_access else ()
        self._require_home(folder, _foreign(there, folder))
        if not self.target.first:
            traces.require_none(server, self.app, self.target, there)
        holder = next((one for one in there if one.running and self.target.publish in one.publishes), None)
        if holder is None:
            self._look(server, folder)
        elif not self._is_ours(holder, server):
            raise self._held(f"the container {holder.name}", f"docker stop {holder.name}")
        return None

    def apply(self, server: Server) -> None:
        """Nothing to do."""

    def _is_ours(self, holder: Listed, server: Server) -> bool:
        if holder.labels.get(ROLE) != caddy.PROXY:
            return holder.labels.get(APP) == self.app.name
        return self.app.proxied and holder.labels.get(FOLDER) == str(ProxyFolder(server.facts.home).path)

    def _look(self, server: Server, folder: AppFolder) -> None:
        done = script(server, _LOOK, self.app.name, folder.path, str(self.target.publish))
        found = dict(line.partition("=")[::2] for line in done.stdout.decode(errors="replace").splitlines())
        self._require_home(folder, found.get("folder"))
        if "user" in found:
            process = found.get("process", "a process")
            raise self._held(
                f"{process} of the user {found['user']}", f"sudo ss -ltnp 'sport = :{self.target.publish}'"
            )

    def _require_home(self, folder: AppFolder, where: str | None) -> None:
        if where:
            raise StepFailed(
                f"{self.app.name} is on this server already, and not in {folder.path}: {where}",
                hint="Deploy as the user that it belongs to, or give this app another name in deploy.toml.",
            )

    def _held(self, holder: str, command: str) -> StepFailed:
        return StepFailed(
            f"Port {self.target.publish} of the server is held by {holder}.",
            hint=f"Look at it ({command}), or let the target have another port: publish in deploy.toml.\n"
            f"If it is {self.app.name}, deployed by other means: {traces.command(self.target)}",
        )


def _foreign(there: Sequence[Listed], folder: AppFolder) -> str | None:
    """Name a container of this app that belongs to another folder."""
    for one in there:
        if one.labels.get(APP) == folder.app and (elsewhere := _elsewhere(one, folder)):
            return f"the container {one.name} uses {elsewhere}"
    return None


def _elsewhere(one: Listed, folder: AppFolder) -> PurePosixPath | None:
    if FOLDER in one.labels:
        labelled = PurePosixPath(one.labels[FOLDER])
        return None if labelled == folder.path else labelled
    ours = ("deploy", folder.app)  # older containers have no such label, but mounts
    return next((path for path in one.mounts if path.parts[-3:-1] == ours and path.parent != folder.path), None)
