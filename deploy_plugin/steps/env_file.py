"""The server's own secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.secret import Secret
from deploy_plugin.settings import parse, render

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

MODE = 0o600


@dataclass(frozen=True, slots=True)
class EnsureEnvFile:
    """Write the env file where a secret is missing or came anew from here; what was generated once is kept."""

    path: PurePosixPath
    secrets: Mapping[str, Secret]
    title: str = "Ensure env file"

    def check(self, server: Server) -> str | None:
        content = server.read(self.path)
        if content is None:
            return f"{self.path.name} is missing"
        there = parse(content)
        missing = sorted(self.secrets.keys() - there.keys())
        if missing:
            return f"{self.path.name} lacks {', '.join(missing)}"
        changed = sorted(key for key, value in self.secrets.items() if there[key] != value)
        if changed:
            return f"{', '.join(changed)} has a new value"
        mode = _mode(server, self.path)
        return None if mode == MODE else f"{self.path.name} has mode {mode:04o}, not {MODE:04o}"

    def apply(self, server: Server) -> None:
        server.write(self.path, render(self.secrets), mode=MODE)


def _mode(server: Server, path: PurePosixPath) -> int:
    done = server.run("stat", "-c", "%a", "--", path)
    if not done.ok:
        raise StepFailed(f"{path} can't be looked at.", got=done.text)
    return int(done.stdout, 8)
