"""A copy of the database, right before it is migrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin.database import snapshots
from deploy_plugin.database.migrations import Migrations

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """Keep the database as it is before the release's migrations; what can't be copied whole is not migrated."""

    migrations: Migrations
    title: str = "Snapshot the database"

    def check(self, server: Server) -> str | None:
        containers = self.migrations.containers
        if not self.migrations.pending(server) or not snapshots.holds_anything(server, containers):
            return None
        path = containers.folder.snapshot(containers.release.id)
        return None if server.read(path.with_name(f"{path.name}.sha256")) else f"{path.name} is missing"

    def apply(self, server: Server) -> None:
        containers = self.migrations.containers
        snapshots.take(server, containers, containers.folder.snapshot(containers.release.id))
