"""Connect, and find out what the server is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class GatherFacts:
    """Ask once what later steps need to know; nothing is ever missing."""

    title: str = "Gather facts"

    def check(self, server: Server) -> str | None:
        if not server.facts.platform.startswith("linux/"):
            raise StepFailed(f"The server is {server.facts.platform}; only Linux servers can be deployed to.")
        return None

    def apply(self, server: Server) -> None:
        """Nothing to do."""
