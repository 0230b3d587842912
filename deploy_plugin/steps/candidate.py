"""The new release, tried where no visitor can reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin.containers import Containers, remove_candidates
from deploy_plugin.health import Probe, await_healthy

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class StartCandidate:
    """Start the new container unpublished, and wait until it answers; one that does not is removed again."""

    containers: Containers
    probe: Probe
    title: str = "Start the candidate"

    def check(self, server: Server) -> str | None:
        for spec in (self.containers.serving, self.containers.candidate):
            found = server.engine.container(spec.name)
            if found and found.running:
                return None
        return f"{self.containers.serving.name} does not run yet"

    def apply(self, server: Server) -> None:
        candidate = self.containers.candidate
        remove_candidates(server, self.containers.app)
        try:
            server.engine.start(candidate)
            await_healthy(server, candidate.name, self.probe)
        except BaseException:
            server.engine.remove(candidate.name)
            raise
