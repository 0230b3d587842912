"""Bring the database to the release's schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin.database.migrations import Migrations

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class Migrate:
    """Apply the new image's migrations in a container of its own, while the old release still serves.

    Behind a proxy the new release runs already, unseen: it is asked, and starts anew on the schema it was made for.
    """

    migrations: Migrations
    title: str = "Migrate"

    def check(self, server: Server) -> str | None:
        return self.migrations.missing(server)

    def apply(self, server: Server) -> None:
        self.migrations.apply(server)
