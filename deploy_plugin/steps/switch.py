"""The moment that visitors notice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from deploy_plugin import confirmation, traffic
from deploy_plugin.containers import Containers, is_proxied, serving
from deploy_plugin.downtime import Downtime
from deploy_plugin.errors import NotYetKnown
from deploy_plugin.health import Probe, await_healthy, port_of
from deploy_plugin.proxy import caddy, upstreams

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

_PATIENCE = 5.0
"""Seconds: the release was well when it was asked directly, and visitors are asking it already."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Tell the proxy where visitors go from now on: one rename of a file, and no request is lost.

    The old container goes on running: it finishes what it began, and going back is the same rename.
    """

    containers: Containers
    probe: Probe
    confirmed: bool = True
    """Whether the server is to go back by itself, unless the run says in time that it stays."""
    downtime: Downtime = field(default_factory=Downtime)
    title: str = "Switch"

    def check(self, server: Server) -> str | None:
        old = serving(server, self.containers.app)
        if old is None:
            return "nothing serves yet"
        proxy = server.engine.container(caddy.container_name(self.containers.target.publish))
        if not is_proxied(old) and proxy is None:
            raise NotYetKnown(f"{old.name} holds the port, which the proxy takes over")
        return None if old.name == self.containers.serving.name else f"{old.name} serves"

    def apply(self, server: Server) -> None:
        app, name = self.containers.app.name, self.containers.serving.name
        new = server.engine.keep(name)
        before = traffic.look(server, self.containers)
        if self.confirmed:
            confirmation.of(server, self.containers).await_it(server, self.containers, before)
        with traffic.or_back(server, self.containers, before):
            upstreams.tell(server, app, name, port_of(server, new, self.probe))
            if self.downtime.begun:
                return  # who asks through the proxy gets the maintenance page
            through = replace(self.probe, port=caddy.PORT)
            await_healthy(server, caddy.container_name(self.containers.target.publish), through, _PATIENCE)
