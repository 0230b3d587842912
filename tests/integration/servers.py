"""Looking at a real server from outside, as its owner would."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass

from deploy_plugin import sandbox
from deploy_plugin.sandbox import Sandbox
from deploy_plugin.sandbox.inventory import container_name


@dataclass(frozen=True)
class RealServer:
    """A booted sandbox."""

    sandbox: Sandbox

    @property
    def target(self) -> str:
        return f"sandbox:{self.sandbox.name}"

    def sh(self, script: str) -> str:
        """Run a shell script there; it must succeed."""
        ssh = ["ssh", "-F", str(self.sandbox.ssh_config), self.sandbox.destination.partition(":")[0], script]
        done = subprocess.run(ssh, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def as_root(self, script: str) -> str:
        """Run a shell script there as root; it must succeed."""
        inside = ["docker", "exec", container_name(self.sandbox), "sh", "-c", script]
        done = subprocess.run(inside, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def logins(self) -> int:
        """How often anybody logged in since it was made, as its sshd counts them."""
        log = ["docker", "logs", container_name(self.sandbox)]
        done = subprocess.run(log, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout.count("Accepted publickey for ")

    def status(self, path: str = "/") -> int:
        """Ask the site as a visitor would; 0 where nothing answers."""
        try:
            with urllib.request.urlopen(self.sandbox.url + path, timeout=10) as answer:  # noqa: S310 - a loopback address
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def containers(self) -> dict[str, str]:
        """All containers by name, with the id, whether they run and since when."""
        listing = self.sh("docker ps -a --no-trunc --format '{{.Names}} {{.ID}} {{.State}} {{.CreatedAt}}'")
        return dict(line.split(" ", 1) for line in listing.splitlines())

    def serving(self) -> str:
        """The container that visitors reach, by the proxy or because it holds the port itself: its name and id."""
        listing = "docker ps --no-trunc --format '{{.Names}} {{.ID}}'"
        behind = f"{listing} --filter name=^/$(cut -d: -f1 deploy/proxy/upstreams/superlists)$"
        itself = f"{listing} --filter label=deploy.role=serving"
        return self.sh(f"if [ -e deploy/proxy/upstreams/superlists ]; then {behind}; else {itself}; fi")

    def releases(self) -> set[str]:
        """The app's containers that run, whatever they are for."""
        return set(self.sh("docker ps --filter label=deploy.app=superlists --format '{{.Names}}'").splitlines())

    def in_app(self, command: str) -> str:
        """Run a command in the container that visitors reach."""
        return self.sh(f"docker exec {self.serving().split()[0]} {command}")

    def shell(self, code: str) -> str:
        """Run Python there, with Django."""
        return self.in_app(f'python manage.py shell -v 0 -c "{code}"')

    def files(self) -> str:
        """Every file and folder of the deploys but the leases: owner, mode, size, time of its last change, path."""
        return self.sh("find deploy ! -name lease -printf '%u %m %s %T@ %C@ %p\\n' | sort -k 6")

    def wipe(self) -> None:
        """Make it a server that nobody ever deployed to."""
        self.sh("docker ps -aq | xargs -r docker rm -f; rm -rf deploy")

    def remove(self) -> None:
        sandbox.remove(self.sandbox)
