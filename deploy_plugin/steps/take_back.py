"""The tests said no: visitors go back to the release that served before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin import downtime, traffic
from deploy_plugin.containers import Containers
from deploy_plugin.errors import DeployError, RollbackFailed
from deploy_plugin.traffic import Traffic

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Send visitors back, and stop the release that was tried; it stays, to be looked at.

    The schema is never reversed: the rehearsal saw that the release before can live with the new one. After a downtime,
    where it can't, the snapshot is restored before any visitor is let in.
    """

    tried: Containers
    before: Traffic
    restores: bool = False
    """Whether the site is closed, and the database is to be again what it was."""
    title: str = "Take the release back"

    @property
    def name(self) -> str:
        """What served before; empty where nothing did, or where it is the one that was tried."""
        names = self.before.serving
        return "" if self.tried.serving.name in names else ", ".join(names)

    def check(self, server: Server) -> str | None:
        if self.restores:
            closed = downtime.look(server, self.tried.app.name)
            return f"{self.name or 'nothing'} serves again, with its data as in the snapshot" if closed else None
        left = self.name and traffic.look(server, self.tried) != self.before
        return f"{self.name} serves again" if left else None

    def apply(self, server: Server) -> None:
        if self.restores:
            downtime.go_back(server, self.tried.app, self.tried.target.name)
            return
        try:
            if self.tried.app.proxied:
                traffic.send_back(server, self.tried, self.before)
                server.engine.stop(self.tried.serving.name)
            else:
                server.engine.stop(self.tried.serving.name)
                traffic.publish_again(server, self.tried, self.before.published)
        except RollbackFailed:
            raise
        except DeployError as error:
            raise RollbackFailed(
                f"The tests failed, and it is not certain that {self.name} serves again.",
                got=str(error),
                hint="Look at the server now: docker ps -a",
            ) from error
