"""What every kind of server can do: the seam that steps are written against."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from deploy_plugin.server.engine import Engine
    from deploy_plugin.server.facts import Facts


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left: its exit code and what it printed."""

    exit_code: int
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    @property
    def text(self) -> str:
        """What it printed, errors last, for people to read."""
        return (self.stdout + self.stderr).decode(errors="replace").strip()


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; redirects are not followed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def never_gets_better(self) -> bool:
        """Whether asking again is of no use: the question is refused, or sent elsewhere."""
        return HTTPStatus.MULTIPLE_CHOICES <= self.status <= HTTPStatus.BAD_REQUEST


@dataclass(frozen=True, slots=True)
class Shipping:
    """How far an image is on its way."""

    layers: int
    layers_done: int = 0
    size: int = 0
    """Bytes of all layers that are sent, unpacked; 0 where that is not known."""
    done: int = 0
    """Bytes of them that were read so far."""


class Server(Protocol):
    """A connection to a target, which opens with its first use.

    A broken connection raises ``Unreachable`` from every method.
    """

    bytes_sent: int
    """What was shipped over this connection: images and files."""
    shipping: Shipping | None
    """What is being shipped now."""

    @property
    def facts(self) -> Facts:
        """What it is; asked once for a connection."""
        ...

    @property
    def engine(self) -> Engine:
        """Its Docker engine; ``StepFailed`` where none answers."""
        ...

    def begin(self) -> None:
        """Begin to connect, and don't wait; what goes wrong with it is said with the first use."""
        ...

    def run(self, *argv: str | PurePosixPath, stdin: bytes = b"") -> Result:
        """Run a command without a shell in between; its failure is an exit code, not an exception."""
        ...

    def attach(self, *argv: str | PurePosixPath, terminal: bool = False) -> int:
        """Run a command with this process's own stdin, stdout and stderr, and give its exit code.

        With ``terminal`` it gets one, and keys like Ctrl-C are its own.
        """
        ...

    def read(self, path: PurePosixPath) -> bytes | None:
        """Read a file; None where there is none."""
        ...

    def write(self, path: PurePosixPath, content: bytes, *, mode: int) -> None:
        """Write a file whole or not at all: never half of it, and never, not even at first, with another mode."""
        ...

    def get(self, address: str, port: int, path: str, *, host: str) -> Answer:
        """Ask a web server that this server can reach, with ``host`` as the Host header; OSError where none answers."""
        ...

    def dial(self, address: str, port: int) -> socket.socket:
        """Connect to a port that this server can reach; OSError where nobody listens, or an end at once."""
        ...

    def link_speed(self) -> float:
        """Give the bytes that the way there takes in a second; measured once for a connection."""
        ...

    def reconnect(self) -> None:
        """Log in anew: what the user may do has changed."""
        ...

    def close(self) -> None: ...


def quote(argv: tuple[str | PurePosixPath, ...]) -> str:
    """The one place where a command becomes text for a shell."""
    return shlex.join(map(str, argv))
