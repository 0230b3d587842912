"""What every step promises, asked of every step that there is."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from datetime import datetime, tzinfo
from pathlib import Path, PurePosixPath
from typing import cast

import pytest

from deploy_plugin import sandbox, steps
from deploy_plugin.database.migrations import Migrations
from deploy_plugin.models import App
from deploy_plugin.sandbox import Sandbox, Seen, State
from deploy_plugin.secret import Secret
from deploy_plugin.steps import record
from deploy_plugin.steps.base import Step
from deploy_plugin.steps.env_file import EnsureEnvFile
from deploy_plugin.steps.migrate import Migrate
from deploy_plugin.steps.release_settings import KeepSettings
from deploy_plugin.testing import FakeServer
from tests.machine import Machine
from tests.steps.cases import CASES, NOTHING_TO_DO, RELEASE, World, a_sandbox


class _Standing(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> _Standing:
        return cls(2026, 11, 24, 3, 12, 5, tzinfo=tz)


@pytest.fixture
def world(server: FakeServer, machine: Machine, app: App, monkeypatch: pytest.MonkeyPatch) -> World:
    booted: list[Sandbox] = []
    # What is written down of the time is another second's when a step is done again.
    server.install("date", "echo 1795000000")
    monkeypatch.setattr(record, "datetime", _Standing)
    monkeypatch.setattr(sandbox, "find", {"a": a_sandbox(app.context)}.get)
    monkeypatch.setattr(sandbox, "boot", booted.append)
    monkeypatch.setattr(sandbox, "every", lambda: [Seen(one, State.RUNNING) for one in booted])
    return World(server, machine, app, booted)


@pytest.fixture(params=CASES, ids=lambda kind: kind.__name__)
def step(request: pytest.FixtureRequest, world: World) -> Step:
    return CASES[request.param](world)


def _step_classes() -> Iterator[type]:
    """Every class of the package that has both verbs."""
    for module in pkgutil.walk_packages(steps.__path__, f"{steps.__name__}."):
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if found.__module__ == module.name and found is not Step and {"check", "apply"} <= vars(found).keys():
                yield found


def test_every_step_has_a_case_here() -> None:
    assert set(_step_classes()) == set(CASES)


def test_check_changes_nothing(world: World, step: Step) -> None:
    before = world.seen()
    step.check(world.server)
    assert world.seen() == before


def test_check_says_what_is_missing_in_one_line(world: World, step: Step) -> None:
    reason = step.check(world.server)
    if type(step) in NOTHING_TO_DO:
        assert reason is None
    else:
        assert reason
        assert reason == reason.strip().splitlines()[0]


def test_after_apply_check_has_nothing_left_to_say_and_changes_nothing(world: World, step: Step) -> None:
    step.apply(world.server)
    after = world.seen()
    assert step.check(world.server) is None
    assert world.seen() == after


def test_applying_twice_leaves_what_applying_once_left(world: World, step: Step) -> None:
    step.apply(world.server)
    once = _kept(world)
    step.apply(world.server)
    assert step.check(world.server) is None
    assert _kept(world) == once


def _kept(world: World) -> tuple[object, ...]:
    """What lasts, without times and ids: files with content, mode and owner, and the containers that run."""
    files = {
        str(path): (path.stat().st_mode, path.stat().st_uid, path.read_bytes() if path.is_file() else None)
        for path in world.server.home.rglob("*")
        if path.name not in {"lease", "unconfirmed"}
    }
    running = [one.name for one in world.server.engine.containers({}) if one.running]
    return files, running, set(world.server.engine.images), set(world.machine.engine.images)


def test_titles_are_there_and_tell_steps_apart() -> None:
    titles = [inspect.signature(kind).parameters["title"].default for kind in CASES]
    assert all(titles)
    assert len(set(titles)) == len(titles)


def test_a_step_is_a_frozen_dataclass_that_says_what_it_is_for() -> None:
    for kind in CASES:
        assert is_dataclass(kind)
        assert kind.__dataclass_params__.frozen, kind  # type: ignore[attr-defined]
        assert kind.__doc__
        assert not kind.__doc__.startswith(f"{kind.__name__}("), kind


def test_no_step_shows_a_secret_in_what_it_says(world: World) -> None:
    sentinel = Secret("s3ntinel")
    containers = replace(world.containers, settings={"KEY": sentinel})
    path = PurePosixPath(world.server.home / "x")
    told = [
        EnsureEnvFile(path, {"KEY": sentinel}),
        KeepSettings(path, {"KEY": sentinel}),
        Migrate(Migrations(containers)),
    ]
    Path(world.folder.data).mkdir(parents=True)
    world.server.engine.add_image(RELEASE.image)
    said = [repr(step) + str(cast("Step", step).check(world.server)) for step in told]
    assert "s3ntinel" not in "".join(said)
