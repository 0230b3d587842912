"""The one step that needs root on the server, and only when Docker is not there yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Result, Server
    from deploy_plugin.server.facts import Facts

_INSTALL = r"""
set -e
if ! command -v dockerd >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -qq -y --no-install-recommends docker.io iptables ca-certificates
fi
[ "$1" = root ] || usermod -aG docker "$1"
if [ -d /run/systemd/system ]; then
    systemctl enable --now docker
else
    service docker start
fi
for _ in $(seq 100); do
    [ -S /var/run/docker.sock ] && exit 0
    sleep 0.1
done
echo "Docker was installed, but does not start." >&2
exit 1
"""


@dataclass(frozen=True, slots=True)
class InstallDocker:
    """Install Docker on Debian and Ubuntu, let this user use it, and log in again so that it counts."""

    title: str = "Install Docker"

    def check(self, server: Server) -> str | None:
        facts = server.facts
        if not facts.has_docker:
            return "Docker is not installed"
        if not facts.docker_runs:
            return "Docker is installed, but does not run"
        if not facts.docker_access:
            return f"{facts.user} is not in the docker group"
        return None

    def apply(self, server: Server) -> None:
        facts = server.facts
        if not facts.has_docker and "debian" not in facts.distribution:
            raise StepFailed(
                f"Docker is not installed, and this is no Debian or Ubuntu ({' '.join(sorted(facts.distribution))}).",
                hint=f"Install Docker there by hand, and let {facts.user} use it: usermod -aG docker {facts.user}",
            )
        done = _as_root(server, facts)
        if not done.ok:
            raise StepFailed(
                f"Docker could not be installed as {facts.user}.",
                got="\n".join(done.text.splitlines()[-15:]),
                hint="It needs sudo without a password, once. Or install docker.io there by hand, "
                f"and let {facts.user} use it: usermod -aG docker {facts.user}",
            )
        server.reconnect()


def _as_root(server: Server, facts: Facts) -> Result:
    if facts.uid == 0:
        return script(server, _INSTALL, facts.user)
    return server.run("sudo", "-n", "sh", "-c", _INSTALL, "sh", facts.user)
