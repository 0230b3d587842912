"""A page that was loaded before the switch asks for its styles after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from deploy_plugin.containers import Containers
from deploy_plugin.proxy import static
from deploy_plugin.proxy.upstreams import ProxyFolder, make_folder
from deploy_plugin.server.files import script
from deploy_plugin.steps.start_release import StartRelease

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class KeepStatic:
    """Keep the release's hashed static files where the proxy finds them once the next release serves."""

    containers: Containers
    title: str = "Keep static files"
    after: ClassVar = StartRelease

    def check(self, server: Server) -> str | None:
        folder = ProxyFolder(server.facts.home).static(self.containers.app.name, self.containers.release.id)
        there = script(server, '[ -d "$1" ]', folder).ok
        return None if there else f"those of {self.containers.release.id} are not kept yet"

    def apply(self, server: Server) -> str:
        make_folder(server, ProxyFolder(server.facts.home))
        containers = self.containers
        kept = static.keep(
            server, containers.app.name, containers.release.id, containers.serving.name, containers.mounts.values()
        )
        return f"{kept} with a hash in their names"
