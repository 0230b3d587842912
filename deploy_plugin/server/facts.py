"""What a server is, found in one round trip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

APP_UID_UNDER_ROOT = 1234
"""Who the app runs as where the deploy user is root: no container of ours runs as root."""

_GATHER = r"""
. /etc/os-release 2>/dev/null
echo "home=$HOME"
echo "user=$(id -un)"
echo "uid=$(id -u)"
echo "gid=$(id -g)"
echo "machine=$(uname -m)"
echo "distribution=${ID:-unknown} ${ID_LIKE:-}"
echo "docker=$(command -v docker || command -v dockerd || true)"
socket=${DOCKER_HOST:-/var/run/docker.sock}
socket=${socket#unix://}
[ -S "$socket" ] && echo "socket=there"
[ -w "$socket" ] && echo "docker_access=yes"
true
"""
_PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64", "arm64": "linux/arm64", "armv7l": "linux/arm/v7"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server is. It is asked once for a run, and again after Docker was installed."""

    home: PurePosixPath
    user: str
    uid: int
    gid: int
    platform: str
    """As Docker writes it: ``linux/amd64``."""
    distribution: frozenset[str]
    """Its name and those that it is like: ``{"ubuntu", "debian"}``."""
    has_docker: bool
    docker_runs: bool
    docker_access: bool
    """Whether this user may use Docker as it is now."""

    @property
    def app_user(self) -> tuple[int, int]:
        """The uid and gid that the app runs as, and that own its data."""
        return (self.uid, self.gid) if self.uid else (APP_UID_UNDER_ROOT, APP_UID_UNDER_ROOT)


def gather(server: Server) -> Facts:
    done = script(server, _GATHER)
    found = dict(line.partition("=")[::2] for line in done.stdout.decode(errors="replace").splitlines())
    if not done.ok or "gid" not in found:
        raise StepFailed("The server does not answer as a Linux server does.", got=done.text)
    return Facts(
        home=PurePosixPath(found["home"]),
        user=found["user"],
        uid=int(found["uid"]),
        gid=int(found["gid"]),
        platform=_PLATFORMS.get(found["machine"], f"linux/{found['machine']}"),
        distribution=frozenset(found["distribution"].split()),
        has_docker=bool(found["docker"]),
        docker_runs="socket" in found,
        docker_access="docker_access" in found,
    )
