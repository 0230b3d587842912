"""A server as a run sees it that holds a lease: every change is asked for together with the lease."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from deploy_plugin.server import files

if TYPE_CHECKING:
    from deploy_plugin.lease import Lease
    from deploy_plugin.server.base import Result, Server, Shipping
    from deploy_plugin.server.engine import Engine

_CHANGES = frozenset(
    {
        *("load", "remove_image", "prune", "ensure_network"),
        *("create", "derive", "start", "start_again", "keep", "stop", "remove", "run_once", "exec"),
    }
)


def fenced(server: Server, lease: Lease) -> Server:
    """Give the same server, where nothing is changed any more once the lease is lost: ``LeaseLost`` instead.

    What is run or written there is checked on the server itself, in the same breath. Docker is asked for a change only
    after the lease was.
    """
    return cast("Server", _Fenced(server, lease))


class _Fenced:
    def __init__(self, server: Server, lease: Lease) -> None:
        self._server = server
        self._lease = lease

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the server has
        return getattr(self._server, name)

    @property
    def bytes_sent(self) -> int:
        return self._server.bytes_sent

    @bytes_sent.setter
    def bytes_sent(self, count: int) -> None:
        self._server.bytes_sent = count

    @property
    def shipping(self) -> Shipping | None:
        return self._server.shipping

    @shipping.setter
    def shipping(self, now: Shipping | None) -> None:
        self._server.shipping = now

    @property
    def engine(self) -> _FencedEngine:
        return _FencedEngine(self._server.engine, self._lease)

    def run(self, *argv: str | PurePosixPath, stdin: bytes = b"") -> Result:
        return self._lease.run(*argv, stdin=stdin)

    def attach(self, *argv: str | PurePosixPath, terminal: bool = False) -> int:
        self._lease.require()
        return self._server.attach(*argv, terminal=terminal)

    def write(self, path: PurePosixPath, content: bytes, *, mode: int) -> None:
        files.write(cast("Server", self), path, content, mode=mode)
        self.bytes_sent += len(content)


class _FencedEngine:
    def __init__(self, engine: Engine, lease: Lease) -> None:
        self._engine = engine
        self._lease = lease

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the engine has
        if name in _CHANGES:
            self._lease.require()
        return getattr(self._engine, name)
