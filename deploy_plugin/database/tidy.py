"""What is cleared away after a deploy that worked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_plugin.containers import MIGRATES, one_offs
from deploy_plugin.database import kept, snapshots
from deploy_plugin.models import App, AppFolder

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


def tidy(server: Server, app: App) -> None:
    """Remove snapshots that are old, and what a killed deploy left, but for what still migrates."""
    folder = AppFolder(server.facts.home, app.name)
    for left in one_offs(server, app):
        if not (left.running and left.name.endswith(MIGRATES)):
            server.engine.remove(left.name)
    snapshots.remove_folder(server, folder.rehearsal)
    kept.prune(server, folder)
