"""Docker on this machine, in memory: for what builds and ships."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy_plugin.images import build, early, platforms, pull, room, scratch, ship
from deploy_plugin.server import local
from deploy_plugin.testing import FakeEngine

PLATFORM = "linux/amd64"


@dataclass
class Machine:
    engine: FakeEngine
    built: list[tuple[str, Path, str]] = field(default_factory=list)
    """Every build that somebody waited for: reference, context, platform."""
    begun: list[Running] = field(default_factory=list)
    pulled: list[tuple[str, str]] = field(default_factory=list)
    """Every image that somebody else made: reference, platform."""
    fails: BaseException | None = None
    """What a build raises."""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    """What the docker command was asked for images on top of nothing."""
    says: str = ""
    """What it answered."""

    def take_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let no build, no pull and no shipping reach a real engine."""
        monkeypatch.setattr(local, "local_client", FakeClient)
        for module in (build, early, room, ship):
            monkeypatch.setattr(module, "DockerEngine", lambda _client: self.engine)
        monkeypatch.setattr(platforms, "require_buildable", lambda *_: None)
        monkeypatch.setattr(scratch, "_docker", self._docker)
        for builder in (build, early):
            monkeypatch.setattr(builder, "platform_here", lambda: PLATFORM)
            monkeypatch.setattr(builder, "Build", self._build)
        monkeypatch.setattr(pull, "ensure_here", self._pull)

    def _docker(self, *arguments: str, **_: str) -> str:
        self.asked.append(arguments)
        return self.says

    def _build(self, reference: str, context: Path, platform: str) -> Running:
        running = Running(self, reference, context, platform)
        self.begun.append(running)
        return running

    def _pull(self, reference: str, platform: str) -> None:
        if reference not in self.engine.images:
            self.pulled.append((reference, platform))
            self.engine.add_image(reference, ports=(80, 443))


class FakeClient:
    """A connection to no engine."""

    def close(self) -> None:
        """Nothing was opened."""


@dataclass
class Running:
    """A build that is done when somebody waits for it."""

    machine: Machine
    reference: str
    context: Path
    platform: str
    is_stopped: bool = False

    def wait(self) -> None:
        if self.machine.fails:
            raise self.machine.fails
        self.machine.built.append((self.reference, self.context, self.platform))
        self.machine.engine.add_image(self.reference)

    def stop(self) -> None:
        self.is_stopped = True
