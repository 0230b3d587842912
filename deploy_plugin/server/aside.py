"""A server as a thread sees it that works beside the run: it counts for itself what it ships, and it can be stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server, Shipping
    from deploy_plugin.server.engine import Engine


class Stopped(Exception):
    """Whoever works there is to begin nothing more."""


class Aside:
    """The same server, and another one's bytes."""

    def __init__(self, server: Server) -> None:
        self.bytes_sent = 0
        self.shipping: Shipping | None = None
        self._server = server
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let whatever is asked of it from now on, and an image that is under way, end with ``Stopped``."""
        self._stopped.set()

    def require(self) -> None:
        if self._stopped.is_set():
            raise Stopped

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the server has
        self.require()
        return getattr(self._server, name)

    @property
    def engine(self) -> _Engine:
        self.require()
        return _Engine(self._server.engine, self)


class _Engine:
    def __init__(self, engine: Engine, aside: Aside) -> None:
        self._engine = engine
        self._aside = aside

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the engine has
        self._aside.require()
        return getattr(self._engine, name)

    def load(self, archive: Iterable[bytes]) -> None:
        self._engine.load(self._until_stopped(archive))

    def _until_stopped(self, archive: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in archive:
            self._aside.require()
            yield chunk
