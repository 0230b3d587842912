"""A run that was killed may have left the site closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin import downtime
from deploy_plugin.models import App

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class EndDowntime:
    """Bring back what was before a downtime that nobody is at work in any more, and open the site."""

    app: App
    target: str
    title: str = "End a downtime"

    def check(self, server: Server) -> str | None:
        state = downtime.look(server, self.app.name)
        return str(state) if state else None

    def apply(self, server: Server) -> str:
        downtime.go_back(server, self.app, self.target)
        return "one that another run left: what served before serves again, with the snapshot"
