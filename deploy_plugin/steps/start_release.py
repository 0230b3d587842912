"""The new release, started where no visitor can reach it yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin.containers import Containers, start

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class StartRelease:
    """Start the release's container; the proxy does not know it yet, and Docker does not start it again by itself."""

    containers: Containers
    title: str = "Start the release"

    def check(self, server: Server) -> str | None:
        found = server.engine.container(self.containers.serving.name)
        return None if found and found.running else f"{self.containers.serving.name} does not run yet"

    def apply(self, server: Server) -> None:
        start(server, self.containers)
