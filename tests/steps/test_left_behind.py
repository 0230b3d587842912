"""What a deploy that was killed left of its migration, and what the next one does about it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.steps.base import Step
from deploy_plugin.steps.migrate import Migrate
from tests.site import there
from tests.steps.migrating import OLD, Deploy


def leave(deploy: Deploy, name: str, *, runs: bool) -> None:
    left = replace(deploy.containers.manage("migrate"), name=name)
    deploy.server.engine.start(left)
    if not runs:
        deploy.server.engine.stop(name)


def test_what_a_killed_deploy_left_is_removed(deploy: Deploy) -> None:
    leave(deploy, "superlists-killed-shell-rehearsal", runs=True)
    leave(deploy, "superlists-killed-migrate", runs=False)
    deploy.rehearse.apply(deploy.server)
    assert there(deploy.server) == {OLD}


def test_a_migration_that_another_deploy_left_comes_to_its_end_first(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(deploy, "superlists-killed-migrate", runs=True)

    def end(_seconds: float) -> None:
        deploy.server.engine.stop("superlists-killed-migrate")
        deploy.site.pending.clear()

    monkeypatch.setattr(time, "sleep", end)
    assert "another deploy" in deploy.rehearse.apply(deploy.server)
    assert "superlists-killed-migrate" not in there(deploy.server)


@pytest.mark.parametrize("step", ["rehearse", "migrate"])
def test_one_that_does_not_end_is_never_joined_by_a_second(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    leave(deploy, "superlists-killed-migrate", runs=True)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    deploy.containers = replace(deploy.containers, app=replace(deploy.containers.app, migration_limit=0))
    act: Step = deploy.rehearse if step == "rehearse" else Migrate(deploy.migrations)
    with pytest.raises(StepFailed, match="still migrates the database after 0 s") as caught:
        act.apply(deploy.server)
    assert "docker rm -f superlists-killed-migrate" in caught.value.hint
    assert deploy.site.commands == []
