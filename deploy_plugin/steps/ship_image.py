"""Bring the image to the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.images.ship import ship

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class ShipImage:
    """Ship an image that the server does not have; the name says what is in it."""

    reference: str
    title: str = "Ship image"

    def check(self, server: Server) -> str | None:
        return None if server.engine.image(self.reference) else f"the server has no {self.reference}"

    def apply(self, server: Server) -> None:
        ship(self.reference, server)
        if server.engine.image(self.reference) is None:
            raise StepFailed(f"{self.reference} was shipped, but the server does not have it.", hint="Deploy again.")
