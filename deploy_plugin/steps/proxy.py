"""The proxy in front: one for each port of a server, shared by its apps."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, ClassVar

from deploy_plugin import confirmation, traffic
from deploy_plugin.containers import FOLDER, ROLE, Containers
from deploy_plugin.errors import LeaseHeld, StepFailed
from deploy_plugin.health import Probe, await_healthy, port_of
from deploy_plugin.lease import TTL, acquire
from deploy_plugin.proxy import caddy, upstreams
from deploy_plugin.proxy.sites import Site, with_site
from deploy_plugin.proxy.upstreams import ProxyFolder
from deploy_plugin.server.engine import ContainerSpec
from deploy_plugin.server.files import script
from deploy_plugin.steps.start_release import StartRelease
from deploy_plugin.traffic import Traffic

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

_WAIT = 2.0 * TTL
"""Seconds: longer than the lease of a run that was killed lasts."""
_KEEP = 'mv -f -- "$1" "$2"'
_DISCARD = 'rm -f -- "$1"'


@dataclass(frozen=True, slots=True)
class EnsureProxy:
    """Run the proxy, and let it know the app's site.

    Where a container of the app holds the port itself, as it did without a proxy, the proxy takes the port over, and
    the new release, which is well by then, serves behind it. Only then is the site away for a moment.
    """

    containers: Containers
    probe: Probe
    title: str = "Ensure proxy"
    after: ClassVar = StartRelease

    def may_begin(self, server: Server) -> bool:
        """Whether it can be done while the release still starts: where the proxy is needed by nobody else yet.

        What holds the port itself is to give it up only when the release is well.
        """
        before = traffic.look(server, self.containers)
        return not before.proxy and not before.published

    def check(self, server: Server) -> str | None:
        name = caddy.container_name(self._port)
        container = server.engine.container(name)
        if container is None or not container.running:
            held = ", ".join(traffic.look(server, self.containers).published)
            return f"{name} does not run" + (held and f"; nobody answers while it takes the port over from {held}")
        config = server.read(self._folder(server).config(self._port))
        return None if config == self._wanted(config) else f"{name} is not configured for {self.containers.target.host}"

    def apply(self, server: Server) -> str | None:
        # Another app's deploy may be about to tell the same proxy something else.
        try:
            lease = acquire(server, caddy.PROXY, self.containers.target.name, "deploy", wait=_WAIT)
        except LeaseHeld as held:
            held.hint = "Another app's deploy has to do with the proxy that both share. Deploy again when it has ended."
            raise
        try:
            return self._ensure(server)
        finally:
            lease.release()

    def _ensure(self, server: Server) -> str | None:
        folder = self._folder(server)
        server.engine.ensure_network(caddy.NETWORK)
        upstreams.make_folder(server, folder)
        config = folder.config(self._port)
        wanted = self._wanted(server.read(config))
        name = caddy.container_name(self._port)
        container = server.engine.container(name)
        if container and container.running:
            self._reload(server, config, wanted)
            return None
        server.write(config, wanted, mode=upstreams.READABLE)
        before = traffic.look(server, self.containers)
        if before.published:
            return self._take_the_port(server, self._spec(server), before)
        if container:
            server.engine.start_again(name)
        else:
            server.engine.start(self._spec(server))
        return None

    @property
    def _port(self) -> int:
        return self.containers.target.publish

    def _folder(self, server: Server) -> ProxyFolder:
        return ProxyFolder(server.facts.home)

    def _wanted(self, config: bytes | None) -> bytes:
        app = self.containers.app
        return with_site(config, Site(app.name, self.containers.target.host, app.static))

    def _spec(self, server: Server) -> ContainerSpec:
        folder = self._folder(server).path
        labels = {ROLE: caddy.PROXY, FOLDER: str(folder)}
        return caddy.spec(self._port, folder=folder, user=self.containers.user, labels=labels)

    def _reload(self, server: Server, config: PurePosixPath, wanted: bytes) -> None:
        # Beside the file that is read at a start: what the proxy refuses, or was never shown, does not get there.
        new = caddy.as_new(config)
        server.write(new, wanted, mode=upstreams.READABLE)
        name = caddy.container_name(self._port)
        done = server.engine.exec(name, caddy.reload_command(self._port))
        script(server, _KEEP if done.ok else _DISCARD, new, config)
        if not done.ok:
            raise StepFailed(
                f"{name} does not take its configuration.",
                got=done.text,
                hint=f"Start it anew, which takes the sites behind it away for a moment: docker rm -f {name}, then "
                "deploy again.",
            )

    def _take_the_port(self, server: Server, proxy: ContainerSpec, before: Traffic) -> str:
        """Say how long it took from the first stop on: what stops may go on answering for a part of that."""
        app, name = self.containers.app.name, self.containers.serving.name
        server.engine.remove(proxy.name)  # one that the server stopped when it gave the port back
        new = server.engine.keep(name)
        unconfirmed = confirmation.of(server, self.containers)
        unconfirmed.await_it(server, self.containers, before, port_is_away=True)
        with traffic.or_back(server, self.containers, before):
            upstreams.tell(server, app, name, port_of(server, new, self.probe))
            since = time.monotonic()
            for published in before.published:
                server.engine.stop(published)
            server.engine.start(proxy)
            await_healthy(server, proxy.name, replace(self.probe, port=caddy.PORT))
            away = time.monotonic() - since
            unconfirmed.renew(server)
        holders = ", ".join(before.published)
        return f"{proxy.name} took the port over from {holders}; nobody answered for {away:.1f} s at most"
