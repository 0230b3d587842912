"""Build the app's image on this machine, for the server's platform."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_plugin.images.build import build, is_here, require_buildable
from deploy_plugin.images.layers import repository

if TYPE_CHECKING:
    from deploy_plugin.images.early import EarlyBuild
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class BuildImage:
    """Build what is nowhere yet: an image of that name holds that content, here or on the server."""

    reference: str
    context: Path
    platform: str
    early: EarlyBuild | None = None
    """What was begun when the deploy began; a plan begins nothing."""
    title: str = "Build image"

    def check(self, server: Server) -> str | None:
        if server.engine.image(self.reference):
            return None
        if self.early and self.early.makes(self.reference):
            return f"there was no {self.reference} when the deploy began"
        if is_here(self.reference):
            return None
        require_buildable(self.context, self.platform)
        return f"there is no {self.reference} yet"

    def apply(self, server: Server) -> None:
        if self.early and self.early.makes(self.reference):
            self.early.wait()
            if server.engine.tagged(repository(self.reference)):  # or else it has no layer of the app's
                self.early.begin_top(self.reference)
            return
        if self.early:
            self.early.stop()  # it builds for another platform
        build(self.reference, self.context, self.platform)
