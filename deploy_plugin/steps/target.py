"""What the server knows of itself: whether it is live, whatever a checkout says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin import traces
from deploy_plugin.errors import StepFailed
from deploy_plugin.models import App, AppFolder, Target
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class RecallTarget:
    """Stop where the server is live and this run does not know it: its tests were chosen for another target."""

    app: str
    target: Target
    title: str = "Recall the target"

    def check(self, server: Server) -> str | None:
        path = AppFolder(server.facts.home, self.app).target_file
        if is_live(server, path) and not self.target.live:
            raise StepFailed(
                f"{self.target.destination} is live for {self.app}, and this checkout does not say so.",
                hint="Add live = true to its target in deploy.toml: then only tests marked live_safe run there. "
                f"If it is not live any more, remove {path} on the server.",
            )
        return None

    def apply(self, server: Server) -> None:
        """Nothing to do."""


@dataclass(frozen=True, slots=True)
class RequireDatabase:
    """Stop where a live target has no database: an empty site would take the place of one that somebody moved."""

    app: App
    target: Target
    name: str
    title: str = "Require the database"

    def check(self, server: Server) -> str | None:
        path = AppFolder(server.facts.home, self.app.name).data / self.name
        if script(server, '[ -s "$1" ]', path).ok:
            return None
        traces.require_none(
            server, self.app, self.target, server.engine.listing() if server.facts.docker_access else ()
        )
        raise StepFailed(
            f"{self.target.name} is live and has no database: {path} is missing or empty.",
            hint="Add --deploy-first if this is its first deploy. If not, find out first where the database went.",
        )

    def apply(self, server: Server) -> None:
        """Nothing to do."""


@dataclass(frozen=True, slots=True)
class RememberTarget:
    """Write down what the server is; one that is live stays so."""

    path: PurePosixPath
    app: str
    live: bool
    title: str = "Remember the target"

    def check(self, server: Server) -> str | None:
        if server.read(self.path) is None:
            return f"{self.path.name} is missing"
        return f"{self.app} is live here from now on" if self.live and not is_live(server, self.path) else None

    def apply(self, server: Server) -> None:
        known = {"app": self.app, "live": self.live or is_live(server, self.path)}
        server.write(self.path, json.dumps(known).encode() + b"\n", mode=0o600)


def is_live(server: Server, path: PurePosixPath) -> bool:
    """Whether the server remembers to be live; what can't be read is no answer."""
    content = server.read(path)
    if content is None:
        return False
    try:
        return bool(json.loads(content)["live"])
    except (ValueError, TypeError, KeyError) as error:
        raise StepFailed(
            f"{path} can't be understood, so it is not known whether the server is live.",
            hint='It should be like {"app": "NAME", "live": true}: put it right there.',
        ) from error
