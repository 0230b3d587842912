"""The new release has to answer before any visitor is sent to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin.containers import Containers
from deploy_plugin.errors import NotYetKnown
from deploy_plugin.health import Probe, await_healthy, is_healthy
from deploy_plugin.server.seen import behind

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class AwaitHealth:
    """Wait until the release answers its health path as a visitor would ask it; to wait is to change nothing."""

    containers: Containers
    probe: Probe
    title: str = "Await health"

    def check(self, server: Server) -> str | None:
        name = self.containers.serving.name
        container = server.engine.container(name)
        if container is None:
            raise NotYetKnown(f"{name} does not run yet")
        if not (container.running and is_healthy(server, container, self.probe)):
            await_healthy(behind(server), name, self.probe)  # to look again, not at what was seen
        return None

    def apply(self, server: Server) -> None:
        """Nothing to do."""
