"""Build the app's image on this machine, for the server's platform."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_plugin.images.build import build
from deploy_plugin.server import local
from deploy_plugin.server.docker import DockerEngine

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class BuildImage:
    """Build what is nowhere yet: an image of that name holds that content, here or on the server."""

    reference: str
    context: Path
    platform: str
    title: str = "Build image"

    def check(self, server: Server) -> str | None:
        if server.engine.image(self.reference):
            return None
        with closing(DockerEngine(local.local_client())) as here:
            return None if here.image(self.reference) else f"there is no {self.reference} yet"

    def apply(self, server: Server) -> None:  # noqa: ARG002 - it is built here
        build(self.reference, self.context, self.platform)
