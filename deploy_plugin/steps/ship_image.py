"""Bring the image to the server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.images import room
from deploy_plugin.images.scratch import Recipe, Topmost
from deploy_plugin.images.ship import ship

if TYPE_CHECKING:
    from deploy_plugin.images.early import EarlyBuild
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class ShipImage:
    """Ship the layers that the server lacks of an image that it does not have; the name says what is in it."""

    reference: str
    recipe: Recipe | None = None
    """What it was built from: a way to its topmost layers that is quicker than to save it all."""
    database: PurePosixPath | None = None
    """A copy of it must have room as well."""
    early: EarlyBuild | None = None
    title: str = "Ship image"

    def check(self, server: Server) -> str | None:
        if server.engine.image(self.reference):
            return None
        room.require(self.reference, server, self.database)
        return f"the server has no {self.reference}"

    def apply(self, server: Server) -> str:
        return ship(self.reference, server, Topmost(self.recipe, self.early.take_top() if self.early else None))
