"""The lease of an app on a server that is a folder."""

from __future__ import annotations

from pathlib import Path

from deploy_plugin import lease
from deploy_plugin.lease import Lease
from deploy_plugin.testing import FakeServer


def take(server: FakeServer, purpose: str = "deploy", *, wait: float | None = 0) -> Lease:
    return lease.acquire(server, "superlists", "staging", purpose, wait=wait)


def file(server: FakeServer) -> Path:
    return Path(lease.file_of(server, "superlists"))
