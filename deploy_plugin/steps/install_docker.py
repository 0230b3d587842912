"""The one step that needs root on the server, and only when Docker is not there yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.server.sudo import WANTS_PASSWORD, Ask, as_root, ask_at_terminal

if TYPE_CHECKING:
    from deploy_plugin.server.base import Result, Server

_INSTALL = r"""
set -e
if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # From Debian 13 on, the docker command is a package of its own.
    command=$(apt-cache search --names-only '^docker-cli$' | cut -d ' ' -f 1)
    apt-get install -qq -y --no-install-recommends docker.io $command iptables ca-certificates
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

    ask: Ask = ask_at_terminal
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
        done = as_root(server, _INSTALL, facts.user, ask=self.ask)
        if not done.ok:
            raise self._failed(server, done)
        server.reconnect()
        if left := self.check(server):
            raise StepFailed(f"Docker was made ready, and still: {left}.", hint="Look on the server: docker version")

    def _failed(self, server: Server, done: Result) -> StepFailed:
        facts = server.facts
        by_hand = f"Or let root do it there: apt-get install docker.io; usermod -aG docker {facts.user}"
        if not _is_sudos(done):
            got = "\n".join(done.text.splitlines()[-15:])
            return StepFailed("Docker could not be made ready on the server.", got=got, hint=hint_for(got, by_hand))
        why = (
            "sudo wants a password, and there is no terminal here to ask at: deploy once from one."
            if WANTS_PASSWORD in done.stderr
            else f"It needs a sudo that lets {facts.user} become root, once."
        )
        return StepFailed(
            f"{self.check(server)}, and {facts.user} could not become root to change that.",
            got=done.text,
            hint=f"{why[0].upper()}{why[1:]} {by_hand}",
        )


def _is_sudos(done: Result) -> bool:
    """Whether it is sudo that failed, not what it was to run."""
    return done.text.startswith(("sudo: ", "Sorry, ")) or "is not in the sudoers" in done.text
