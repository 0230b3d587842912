"""Bring the proxy's image to the server, which then needs no registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from deploy_plugin.images import pull
from deploy_plugin.images.ship import ship
from deploy_plugin.proxy import caddy
from deploy_plugin.steps.build_image import BuildImage

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class ShipProxy:
    """Ship the proxy's image, once for a server; a proxy that runs already stays as it is."""

    port: int
    platform: str
    title: str = "Ship the proxy"
    after: ClassVar = BuildImage

    def check(self, server: Server) -> str | None:
        there = server.engine.image(caddy.IMAGE) or server.engine.container(caddy.container_name(self.port))
        return None if there else f"the server has no {caddy.IMAGE}"

    def apply(self, server: Server) -> str:
        pull.ensure_here(caddy.IMAGE, self.platform)
        return ship(caddy.IMAGE, server)
