"""The site closes, where the migration can't be applied beside the release that serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin import downtime, traffic
from deploy_plugin.errors import NotYetKnown
from deploy_plugin.steps.proxy import EnsureProxy
from deploy_plugin.steps.rehearse import Rehearse

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class CloseSite:
    """Let visitors get the maintenance page, and stop what serves once it has finished what it began.

    From here on the server goes back by itself, with the snapshot, unless the run commits. Where the app still holds
    the port itself, there is nobody to show the page: connections are refused until the proxy is there.
    """

    rehearse: Rehearse
    proxy: EnsureProxy
    title: str = "Close the site"

    def check(self, server: Server) -> str | None:
        this = self.rehearse.downtime
        if not this.reason:
            if self.rehearse.check(server):
                raise NotYetKnown("the rehearsal shows whether a downtime is needed")
            return None
        return None if downtime.look(server, self.proxy.containers.app.name) else this.reason

    def apply(self, server: Server) -> str:
        containers = self.proxy.containers
        if not traffic.look(server, containers).published and self.proxy.check(server):
            self.proxy.apply(server)  # one that was told before there was such a page would not show it
        self.rehearse.downtime.begin(server, containers, self.proxy.probe)
        return "visitors get the maintenance page, and nobody writes"
