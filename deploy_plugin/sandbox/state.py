"""What is remembered of sandboxes between runs: a folder each, with its keys and ``sandbox.json``."""

from __future__ import annotations

import fcntl
import json
import os
import re
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_plugin.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "deploy"
SSH_PORT = 22
HTTP_PORT = 80
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,38}[A-Za-z0-9])?")


class EngineKind(StrEnum):
    """A sandbox's Docker, named for where it keeps images: two stores that take an image in different forms."""

    OVERLAY2 = "overlay2"
    """Docker 20.10 on Debian 12."""
    CONTAINERD = "containerd"
    """Docker 26 on Debian 13, with the image store that a fresh Docker 29 has."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A throwaway server; ``reserve`` makes it, ``boot`` starts it."""

    name: str
    destination: str
    """``deploy@127.0.0.11``, with ``:port`` where 22 was not free."""
    ssh_config: Path
    """Makes ssh know its port, its key and its host key, under its address and under ``sandbox-NAME``."""
    url: str
    folder: Path
    """Its state on this machine: keys, known_hosts, ssh_config."""
    engine: EngineKind | None
    """None where it is bare: sshd and sudo, and no Docker."""
    throwaway: bool
    """Removed as soon as the process that reserved it is gone."""

    @property
    def alias(self) -> str:
        return f"sandbox-{self.name}"

    @property
    def bare(self) -> bool:
        return self.engine is None

    @property
    def booted(self) -> bool:
        """Whether an engine was ever asked for it; if not, there is nothing to ask one for."""
        return (self.folder / "booted").exists()


@dataclass(frozen=True, slots=True)
class Record:
    """What ``sandbox.json`` holds."""

    name: str
    address: str
    ssh_port: int
    http_port: int
    bare: bool
    owner: str | None = None
    """The process that a throwaway sandbox dies with."""
    engine: str | None = None
    """None is the usual one, or, in one that is bare, none."""

    def sandbox(self) -> Sandbox:
        folder = root() / self.name
        ssh_port = "" if self.ssh_port == SSH_PORT else f":{self.ssh_port}"
        http_port = "" if self.http_port == HTTP_PORT else f":{self.http_port}"
        return Sandbox(
            name=self.name,
            destination=f"{USER}@{self.address}{ssh_port}",
            ssh_config=folder / "ssh_config",
            url=f"http://{self.address}{http_port}",
            folder=folder,
            engine=None if self.bare else EngineKind(self.engine or EngineKind.OVERLAY2),
            throwaway=self.owner is not None,
        )

    def write(self) -> None:
        """Make the record appear whole or not at all: its presence means that the folder is complete."""
        half = root() / self.name / "sandbox.json.half"
        said = {key: value for key, value in asdict(self).items() if value is not None}
        half.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
        half.rename(half.with_suffix(""))


def root() -> Path:
    """Give the folder that holds all sandboxes, as the XDG base directory specification has it."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state).absolute() / "pytest-deploy" / "sandboxes"


def check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} can't be a sandbox's name.",
            hint="Use up to 40 letters, digits and dashes, as in `staging-2`.",
        )
    return name


def find(name: str) -> Sandbox | None:
    """Look for a sandbox by its name, without asking an engine."""
    record = read(check_name(name))
    return record.sandbox() if record else None


def read(name: str) -> Record | None:
    path = root() / name / "sandbox.json"
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"{path} does not say what a sandbox needs.",
            got=str(error),
            hint=f"Remove the folder {path.parent}.",
        ) from error


def records() -> list[Record]:
    names = sorted(path.parent.name for path in root().glob("*/sandbox.json"))
    return [record for name in names if (record := read(name))]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time through; the system frees the lock of one that dies."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def process(pid: int) -> str | None:
    """Name a living process so that a later one with the same number is told apart; None where it is gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    try:
        # Field 22 is when it started; the name before it may hold spaces.
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return f"{pid}@{stat.rpartition(')')[2].split()[19]}"
    except OSError:
        return str(pid)


def orphaned(record: Record) -> bool:
    if record.owner is None:
        return False
    return process(int(record.owner.partition("@")[0])) != record.owner
