"""Docker on this machine, in memory: for what builds and ships."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy_plugin.images import ship
from deploy_plugin.server import local
from deploy_plugin.steps import build_image
from deploy_plugin.testing import FakeEngine


@dataclass
class Machine:
    engine: FakeEngine
    built: list[tuple[str, Path, str]] = field(default_factory=list)
    """Every build: reference, context, platform."""
    fails: BaseException | None = None
    """What a build raises."""

    def take_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let no build and no shipping reach a real engine."""
        monkeypatch.setattr(local, "local_client", lambda: None)
        monkeypatch.setattr(build_image, "DockerEngine", lambda _client: self.engine)
        monkeypatch.setattr(ship, "DockerEngine", lambda _client: self.engine)
        monkeypatch.setattr(build_image, "build", self._build)

    def _build(self, reference: str, context: Path, platform: str) -> None:
        if self.fails:
            raise self.fails
        self.built.append((reference, context, platform))
        self.engine.add_image(reference)
