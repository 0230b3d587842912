"""The server that all deploy to: a sandbox, emptied, slowed down, and asked what crossed its wire."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.clock import Failed, said
from deploy_plugin import sandbox
from deploy_plugin.sandbox import Sandbox

NAME = "benchmark"
RATE = "20mbit"
# One packet of a virtual interface can be 64 KB: a smaller bucket would drop it.
LIMIT = ("root", "tbf", "rate", RATE, "burst", "128kb", "latency", "100ms")
FAR = 0.04
"""Seconds to the server and back."""
SERVES_SECONDS = 30

# Python and its Docker client are for Ansible; sudo is for both peers, which ask apt as root.
PREPARE = """\
apt-get update -qq
export DEBIAN_FRONTEND=noninteractive
apt-get install -qq --no-install-recommends python3 python3-apt python3-requests >/dev/null
echo 'deploy ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/deploy
"""
EMPTY = """\
docker ps -aq | xargs -r docker rm -fv
docker images -aq | sort -u | xargs -r docker rmi -f
docker volume prune -f
docker network prune -f
find /home/deploy -mindepth 1 -maxdepth 1 ! -name .ssh ! -name '.bash*' ! -name .profile -exec rm -rf {} +
find /tmp -mindepth 1 -delete
sync
[ -z "$(docker ps -aq)$(docker images -aq)" ]
"""
COUNT = "cd /sys/class/net/eth0/statistics && cat rx_bytes tx_bytes"


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes at the server's interface, frames and all."""

    to_server: int
    from_server: int

    def since(self, before: Traffic) -> Traffic:
        return Traffic(self.to_server - before.to_server, self.from_server - before.from_server)


@dataclass(frozen=True, slots=True)
class Server:
    """A booted sandbox with what every tool needs there."""

    sandbox: Sandbox
    container: str
    through: Path | None = None
    """The ssh configuration that leads there another way."""

    @property
    def address(self) -> str:
        return urlsplit(self.sandbox.url).hostname or ""

    @property
    def ssh_config(self) -> Path:
        return self.through or self.sandbox.ssh_config

    @property
    def alias(self) -> str:
        return self.sandbox.alias

    def as_root(self, script: str) -> str:
        return said("docker", "exec", self.container, "sh", "-euc", script)

    def empty(self) -> None:
        """Make it a server with Docker that nobody ever deployed to."""
        self.as_root(EMPTY)

    def traffic(self) -> Traffic:
        to_server, from_server = self.as_root(COUNT).split()
        return Traffic(int(to_server), int(from_server))

    @contextmanager
    def slowed_down(self) -> Iterator[None]:
        """Limit what it sends at its own interface, and what it receives at the other end of that wire."""
        wire = self._other_end()
        try:
            self.as_root(f"tc qdisc add dev eth0 {' '.join(LIMIT)}")
            self._on_this_machine("tc", "qdisc", "add", "dev", wire, *LIMIT)
            yield
        finally:
            self.as_root("tc qdisc del dev eth0 root 2>/dev/null || true")
            self._on_this_machine("sh", "-c", 'tc qdisc del dev "$1" root 2>/dev/null || true', "sh", wire)

    @contextmanager
    def far_away(self) -> Iterator[Server]:
        """Give the same server at the end of a long way, which only ssh has to go: nobody's clock runs for visitors."""
        config = self.sandbox.ssh_config.read_text(encoding="utf-8")
        known = dict(line.split(maxsplit=1) for line in config.splitlines() if line.startswith(" "))
        with tempfile.TemporaryDirectory(prefix="benchmark-far-") as folder, _relay(known["HostName"]) as port:
            hosts = Path(folder, "known_hosts")
            _, key = Path(known["UserKnownHostsFile"].strip('"')).read_text(encoding="utf-8").split(maxsplit=1)
            hosts.write_text(f"[{known['HostName']}]:{port} {key}", encoding="utf-8")
            far = known | {"Port": port, "UserKnownHostsFile": str(hosts)}
            through = Path(folder, "ssh_config")
            lines = (f"    {name} {value}\n" for name, value in far.items())
            through.write_text(f"Host {self.alias}\n{''.join(lines)}", encoding="utf-8")
            yield replace(self, through=through)

    def _other_end(self) -> str:
        """Find the interface of this machine whose frames only this sandbox gets."""
        index = self.as_root("cat /sys/class/net/eth0/iflink")
        for line in self._on_this_machine("ip", "-oneline", "link").splitlines():
            number, name = line.split(": ")[:2]
            if number == index and name.startswith("veth"):
                return name.partition("@")[0]
        raise Failed(f"The sandbox's end of the wire has index {index} here, and no veth interface has that.")

    def _on_this_machine(self, *argv: str) -> str:
        """Run one of iproute2's commands on this machine's network, out of the sandbox's image: nothing to install."""
        image = said("docker", "inspect", "--format", "{{.Config.Image}}", self.container)
        options = ("--rm", "--network=host", "--cap-add=NET_ADMIN", f"--entrypoint={argv[0]}")
        return said("docker", "run", *options, image, *argv[1:])

    def await_health(self, words: str) -> None:
        """Ask the site as a visitor would, until it says what only the deploy at hand can make it say."""
        deadline = time.monotonic() + SERVES_SECONDS
        while words not in (answer := _get(f"{self.sandbox.url}/health")):
            if time.monotonic() > deadline:
                raise Failed(f"The deploy went well, but the site does not say {words!r}; it says {answer!r}.")
            time.sleep(0.05)


@contextmanager
def _relay(host: str) -> Iterator[str]:
    argv = (sys.executable, "-m", "benchmarks.far", host, "22", str(FAR / 2))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as relay:
        try:
            assert relay.stdout is not None  # noqa: S101 - for mypy: it is a pipe
            yield relay.stdout.readline().strip()
        finally:
            relay.terminate()


@contextmanager
def running() -> Iterator[Server]:
    """Make the server, and leave nothing of it."""
    command = (sys.executable, "-m", "deploy_plugin.cli", "sandbox")
    # One that a killed run left may be slowed down still.
    if sandbox.find(NAME):
        said(*command, "down", NAME)
    said(*command, "up", NAME)
    try:
        yield _prepared()
    finally:
        said(*command, "down", NAME)


def _prepared() -> Server:
    found = sandbox.find(NAME)
    container = said("docker", "ps", "--quiet", "--filter", f"label=pytest-deploy.sandbox={NAME}")
    if found is None or not container:
        raise Failed(f"The sandbox {NAME!r} is gone.")
    server = Server(found, container)
    server.as_root(PREPARE)
    return server


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - the sandbox's own address
            return str(answer.read(1000).decode(errors="replace"))
    except urllib.error.HTTPError as error:
        return f"status {error.code}"
    except OSError as error:
        return str(error)
