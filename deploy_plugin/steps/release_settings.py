"""The settings that a release runs with, kept with it so that going back to it is whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.settings import Settings, render

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class KeepSettings:
    """Write a release's settings, once: a release never changes."""

    path: PurePosixPath
    settings: Settings
    title: str = "Keep the release's settings"

    def check(self, server: Server) -> str | None:
        return None if server.read(self.path) is not None else f"{self.path.name} is missing"

    def apply(self, server: Server) -> None:
        server.write(self.path, render(self.settings), mode=0o600)
