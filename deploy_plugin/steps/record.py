"""What was deployed, written down where the next deploy will look for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deploy_plugin.who import who

if TYPE_CHECKING:
    from deploy_plugin.database.migrations import Migrations
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class KeepRecord:
    """Write the release's record: what, when and from where, and what its containers are made from."""

    migrations: Migrations
    title: str = "Keep the record"

    def check(self, server: Server) -> str | None:
        record = self.migrations.record
        return None if record.read(server) is not None else f"{record.path.name} is missing"

    def apply(self, server: Server) -> None:
        release, app = self.migrations.containers.release, self.migrations.containers.app
        self.migrations.record.write(
            server,
            {
                "release": release.id,
                "commit": release.commit,
                "image": release.image,
                "deployed": datetime.now(UTC).isoformat(timespec="seconds"),
                "by": who(),
                "migrations": self.migrations.applied(server) if app.database else None,
                "verified": None,
                "app": {
                    "port": app.port,
                    "health": app.health,
                    "manage": app.manage,
                    "database": app.database and str(app.database),
                    "volumes": {name: str(path) for name, path in app.volumes.items()},
                },
            },
        )
