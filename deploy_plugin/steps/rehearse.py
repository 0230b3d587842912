"""The migration is tried on a copy of the real data before anything else changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy_plugin.containers import Containers
from deploy_plugin.database import compatibility, rehearsal, snapshots
from deploy_plugin.database.migrations import Migrations
from deploy_plugin.downtime import Downtime
from deploy_plugin.errors import StepFailed
from deploy_plugin.health import Probe

if TYPE_CHECKING:
    from deploy_plugin.database.rehearsal import Rehearsal
    from deploy_plugin.server.base import Server

_OR_CLOSE = "Or close the site meanwhile: --deploy-downtime."


@dataclass(frozen=True, slots=True)
class Rehearse:
    """Migrate a copy, and see whether the release that serves can live with the new schema.

    Then no visitor notices the migration, and going back never needs the schema to be reversed. Where it can't, or
    where writers would wait in vain for the write lock, the deploy ends here, and nothing was changed; or goes on with
    a downtime, where that is allowed.
    """

    migrations: Migrations
    previous: Callable[[Server], Containers | None]
    """Finds the release that serves."""
    probe: Probe
    downtime: Downtime = field(default_factory=Downtime)
    title: str = "Rehearse the migration"

    def check(self, server: Server) -> str | None:
        missing = None if self.migrations.rehearsed else self.migrations.missing(server)
        there = missing and snapshots.holds_anything(server, self.migrations.containers)
        return f"{missing}, and there is data" if there else None

    def apply(self, server: Server) -> str:
        containers = self.migrations.containers
        self.migrations.settle(server)
        if not self.migrations.pending(server):
            return "another deploy, which was still at it, has applied them meanwhile"
        self.migrations.withdraw(server)
        try:
            rehearsal.copy_database(server, containers)
            seen = rehearsal.rehearse(server, containers)
            if seen.error:
                raise rehearsal.failed(seen.error, containers.target.name, live=containers.target.live)
            self._require_short(seen, seen.patience)
            if previous := self.previous(server):
                self._require_compatible(server, previous, seen)
        finally:
            snapshots.remove_folder(server, containers.folder.rehearsal)
        self.migrations.rehearsed = True
        return f"{self.downtime.reason}: with downtime\n{seen.summary}" if self.downtime.reason else seen.summary

    def _require_short(self, seen: Rehearsal, patience: float) -> None:
        if seen.longest <= patience or self._goes_on(f"the write lock is held for {seen.longest:.1f} s"):
            return
        raise StepFailed(
            f"On a copy of the data a migration holds the write lock for {seen.longest:.1f} s, and the app's "
            f"writers wait no longer than {patience:g} s: visitors would see errors. Nothing was changed.",
            got=seen.summary,
            hint="Let the migration do less at a time, or let writers wait longer (timeout in DATABASES). " + _OR_CLOSE,
        )

    def _require_compatible(self, server: Server, previous: Containers, seen: Rehearsal) -> None:
        tried = compatibility.try_on_copy(server, previous, self.probe)
        if tried.problems and not self._goes_on(f"not compatible ({'; '.join(map(str, tried.problems))})"):
            raise StepFailed(
                f"{previous.release.id}, which serves, can't live with the new schema, so nothing was changed.",
                got="\n".join(map(str, tried.problems)),
                hint="Split the change in two releases: first one that needs neither the old schema nor the new one. "
                + _OR_CLOSE,
            )
        self._require_short(seen, tried.patience)

    def _goes_on(self, reason: str) -> bool:
        """Whether the deploy goes on with a downtime, for this reason if it is the first."""
        if not self.downtime.allowed:
            return False
        if not self.migrations.containers.app.proxied:
            raise StepFailed(
                f"A downtime is needed ({reason}), and without a proxy nobody keeps visitors out while the tests run. "
                "Nothing was changed.",
                hint='Split the change in two releases, or deploy with the proxy: take proxy = "none" out.',
            )
        self.downtime.reason = self.downtime.reason or reason.splitlines()[0]
        return True
