"""A deploy with migrations, where a release serves that has rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy_plugin.containers import Containers
from deploy_plugin.database.migrations import Migrations
from deploy_plugin.errors import StepFailed
from deploy_plugin.health import Probe
from deploy_plugin.server.engine import ContainerSpec, Finished
from deploy_plugin.steps.rehearse import Rehearse
from deploy_plugin.testing import FakeServer
from tests.site import TARGET, Site, there

OLD = "superlists-old"
NEW = "superlists-20261124-031205-1a2b3c4"


@dataclass
class Deploy:
    """A new release with two migrations, where an old one serves that has rows."""

    server: FakeServer
    site: Site
    containers: Containers
    previous: Containers | None
    ran: list[ContainerSpec] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server.engine.command = self._command

    @property
    def migrations(self) -> Migrations:
        return Migrations(self.containers)

    @property
    def rehearse(self) -> Rehearse:
        return Rehearse(self.migrations, lambda _server: self.previous, Probe("/health", TARGET.netloc, 8888))

    @property
    def database(self) -> Path:
        return Path(self.containers.folder.data / "db.sqlite3")

    def refused(self) -> StepFailed:
        """The rehearsal's refusal; all that was there is there as before, and nothing else."""
        before, content = there(self.server), self.database.read_bytes()
        with pytest.raises(StepFailed) as caught:
            self.rehearse.apply(self.server)
        assert there(self.server) == before - {NEW}
        assert self.database.read_bytes() == content
        assert not Path(self.containers.folder.rehearsal).exists()
        assert not Path(self.containers.folder.snapshots).exists()
        return caught.value

    def _command(self, spec: ContainerSpec, command: Sequence[str]) -> Finished:
        self.ran.append(spec)
        return self.site.manage(spec, command)
