"""A snapshot of the database is there before a migration."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from deploy_plugin.database import programs
from deploy_plugin.errors import StepFailed
from deploy_plugin.server.engine import Finished
from deploy_plugin.steps.snapshot import TakeSnapshot
from tests.steps.migrating import Deploy


def test_a_snapshot_is_taken_before_the_migration_with_its_checksum(deploy: Deploy) -> None:
    migrations = deploy.migrations
    step = TakeSnapshot(migrations)
    path = Path(deploy.containers.folder.snapshots) / "db-20261124-031205-1a2b3c4.sqlite3"
    assert step.check(deploy.server) == f"{path.name} is missing"
    step.apply(deploy.server)
    assert path.read_bytes() == b"rows"
    checksum = path.with_name(f"{path.name}.sha256")
    assert checksum.read_text() == f"{hashlib.sha256(b'rows').hexdigest()}  {path.name}\n"
    assert {one.stat().st_mode & 0o777 for one in (path, checksum)} == {0o600}


def test_without_a_snapshot_there_is_no_migration(deploy: Deploy) -> None:
    deploy.server.engine.command = lambda _spec, command: (
        Finished(1, "", "database disk image is malformed")
        if programs.text("snapshot") in command
        else deploy.site.manage(_spec, command)
    )
    with pytest.raises(StepFailed, match="No snapshot of the database could be taken") as caught:
        TakeSnapshot(deploy.migrations).apply(deploy.server)
    assert "malformed" in caught.value.got
