"""What we ask of a server's Docker engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Protocol

from deploy_plugin.secret import Secret


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is there."""

    reference: str
    diff_ids: Sequence[str]
    """The layers' digests, lowest first: the same on every engine, which ``id`` is not."""
    size: int
    """Bytes, unpacked."""
    ports: Sequence[int] = ()
    """What its EXPOSE names."""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    """What it says of itself, as in an archive: ``architecture``, ``os``, ``config``, ``rootfs`` and the like."""

    @property
    def workdir(self) -> str:
        """Where its commands start."""
        return (self.configuration.get("config") or {}).get("WorkingDir") or "/"


class Store(StrEnum):
    """How an engine keeps images: it decides what an archive must look like."""

    CLASSIC = "classic"
    CONTAINERD = "containerd"


@dataclass(frozen=True, slots=True)
class Stored:
    """An image in the list of all, anybody's, with a name or without."""

    diff_ids: Sequence[str]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tagged:
    """A name that an image has."""

    reference: str
    size: int
    """Bytes, unpacked; layers that other images have as well are counted."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container that is there, running or not."""

    id: str
    name: str
    status: str
    """``created``, ``running``, ``restarting``, ``exited`` and the like, as Docker says it."""
    labels: Mapping[str, str]
    address: str = ""
    """Where the server can reach it; empty when it does not run."""
    exit_code: int = 0
    started: str = ""
    """When it was last started, as Docker says it: in UTC, as in ISO 8601."""

    @property
    def running(self) -> bool:
        return self.status == "running"


@dataclass(frozen=True, slots=True)
class Listed:
    """A container in the list of all, anybody's."""

    name: str
    running: bool
    labels: Mapping[str, str]
    publishes: Sequence[int] = ()
    """The server's ports that it holds."""
    mounts: Sequence[PurePosixPath] = ()
    """The server's folders that it sees."""


@dataclass(frozen=True, slots=True)
class Mount:
    """What a container sees of the server."""

    source: str
    """A folder or a file of the server's, or the name of a volume."""
    path: PurePosixPath
    """Where the container sees it."""
    writable: bool


@dataclass(frozen=True, slots=True)
class Made:
    """How somebody made a container that is there."""

    image: str
    """The id of the image that it was made from."""
    env: Sequence[str]
    """``KEY=VALUE``, with what the image says."""
    own_env: Sequence[str]
    """The same, without what the image says just so itself."""
    mounts: Sequence[Mount]
    ports: Mapping[int, int]
    """The server's ports, and the container's behind each."""


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """How a container is to be run. Hardening is not asked for: every container gets it (see ``docker.py``)."""

    name: str
    image: str
    env: Mapping[str, str | Secret] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[PurePosixPath, PurePosixPath] = field(default_factory=dict)
    """Folder on the server to path in the container."""
    user: str = ""
    """``uid:gid``."""
    port: int | None = None
    publish: int | None = None
    """The server's port that ``port`` is published on; not at all where it is None."""
    stays: bool = False
    """Whether Docker starts it again, after a crash and after a reboot."""
    command: Sequence[str] | None = None
    """The image's own where it is None."""
    network: str = ""
    """The network that it is on, where containers find each other by name; Docker's own, without names, if empty."""
    reads: Mapping[PurePosixPath, PurePosixPath] = field(default_factory=dict)
    """As ``mounts``, for what it may only read."""
    capabilities: Sequence[str] = ()
    """What it keeps of root's powers; nothing, unless its program can't be started without."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a one-off container, or a command in a running one, left."""

    exit_code: int
    stdout: str
    stderr: str = ""

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    @property
    def text(self) -> str:
        return (self.stdout + self.stderr).strip()


class Engine(Protocol):
    """A Docker engine; what it refuses raises ``StepFailed`` with its own words."""

    def image(self, reference: str) -> Image | None: ...

    def load(self, archive: Iterable[bytes]) -> None:
        """Take an image archive, as ``docker save`` writes it; it may be packed with gzip."""
        ...

    def store(self) -> Store:
        """Say how images are kept."""
        ...

    def root(self) -> PurePosixPath:
        """Say in which folder everything is kept."""
        ...

    def layer_sizes(self, reference: str) -> Sequence[int]:
        """Give the bytes of each layer of an image, lowest first; nothing where they can't be told apart."""
        ...

    def stored(self, first: str) -> Iterator[Stored]:
        """Give all images that are there, those of the repository ``first`` before the others."""
        ...

    def tagged(self, repository: str) -> Sequence[Tagged]:
        """List the names of one repository's images, with one request."""
        ...

    def remove_image(self, reference: str) -> None:
        """Take the name away, and the image with its last name; nothing where there is none."""
        ...

    def prune(self, label: str) -> None:
        """Remove the images without a name that carry this label, ``key=value``."""
        ...

    def ensure_network(self, name: str) -> None:
        """Make a network where containers find each other by name; nothing where it is there."""
        ...

    def containers(self, labels: Mapping[str, str]) -> Sequence[Container]:
        """List those that carry all these labels, the newest first; stopped ones too."""
        ...

    def listing(self) -> Sequence[Listed]:
        """List all that are there, anybody's, with one request."""
        ...

    def container(self, name: str) -> Container | None: ...

    def made(self, name: str) -> Made:
        """Say how a container was made, whoever made it."""
        ...

    def derive(self, name: str, reference: str, links: Mapping[PurePosixPath, PurePosixPath]) -> None:
        """Make an image like the one that a container was made from, which starts what the container was made to.

        ``links`` are symbolic links that are put into it, and where they lead, whatever was there before.
        """
        ...

    def create(self, spec: ContainerSpec) -> None:
        """Create a container, which ``start_again`` starts."""
        ...

    def start(self, spec: ContainerSpec) -> Container:
        """Create a container and start it; where it can't be started, it is gone again."""
        ...

    def start_again(self, name: str) -> None:
        """Start a container that was stopped."""
        ...

    def keep(self, name: str) -> Container:
        """Let Docker start a container again by itself from now on, after a crash and after a reboot."""
        ...

    def stop(self, name: str, *, patience: int = 10) -> None:
        """Stop a container, gently for ``patience`` seconds; it stays, and Docker does not start it by itself."""
        ...

    def remove(self, name: str) -> None:
        """Remove a container, running or not; nothing where there is none."""
        ...

    def logs(self, name: str, *, lines: int = 50) -> str: ...

    def follow(self, name: str, *, lines: int = 50) -> Iterator[bytes]:
        """Give the log's last lines, and what comes, piece by piece, until the container ends."""
        ...

    def run_once(self, spec: ContainerSpec, *, limit: float | None = None) -> Finished:
        """Run a container until it ends, and remove it; ``StepFailed`` where it takes longer than ``limit`` seconds."""
        ...

    def exec(self, name: str, command: Sequence[str]) -> Finished:
        """Run a command in a running container."""
        ...

    def close(self) -> None: ...
