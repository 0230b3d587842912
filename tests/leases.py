"""The lease of an app on a server that is a folder."""

from __future__ import annotations

from pathlib import Path

from deploy_plugin import lease
from deploy_plugin.lease import Lease
from deploy_plugin.testing import FakeServer

NOON = 1_795_521_600
"""2026-11-24 12:00:00 UTC."""


class Clock:
    """The server's clock: it stands still until it is set."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self.set(NOON)

    def set(self, seconds: int) -> None:
        self._server.install("date", f"echo {seconds}")


def take(server: FakeServer, purpose: str = "deploy", *, wait: float | None = 0) -> Lease:
    return lease.acquire(server, "superlists", "staging", purpose, wait=wait)


def file(server: FakeServer) -> Path:
    return Path(lease.file_of(server, "superlists"))
