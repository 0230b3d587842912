"""Bring an image to the server, over the connection that is there, without a registry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from deploy_plugin.server import local
from deploy_plugin.server.docker import DockerEngine

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


def ship(reference: str, server: Server) -> None:
    """Stream the image from this machine's engine into the server's; nothing is written to disk here."""
    here = DockerEngine(local.local_client())
    try:
        server.engine.load(_counted(here.save(reference), server))
    finally:
        here.close()


def _counted(chunks: Iterable[bytes], server: Server) -> Iterator[bytes]:
    for chunk in chunks:
        server.bytes_sent += len(chunk)
        yield chunk
