"""The server knows that it is live, whatever a checkout says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.models import App, AppFolder
from deploy_plugin.steps.target import RecallTarget, RememberTarget, RequireDatabase
from deploy_plugin.testing import FakeServer
from tests.site import TARGET

LIVE = replace(TARGET, live=True)


@pytest.fixture
def path(server: FakeServer) -> PurePosixPath:
    return AppFolder(server.facts.home, "superlists").target_file


def remember(server: FakeServer, path: PurePosixPath, *, live: bool) -> object:
    step = RememberTarget(path, "superlists", live)
    if step.check(server):
        step.apply(server)
    return json.loads(server.read(path) or b"null")


@pytest.mark.parametrize("live", [True, False])
def test_it_is_written_once(server: FakeServer, path: PurePosixPath, live: bool) -> None:  # noqa: FBT001 - a parameter
    assert remember(server, path, live=live) == {"app": "superlists", "live": live}
    server.journal.clear()
    remember(server, path, live=live)
    assert server.journal == []


def test_live_is_turned_on_and_never_off(server: FakeServer, path: PurePosixPath) -> None:
    remember(server, path, live=False)
    assert RememberTarget(path, "superlists", live=True).check(server) == "superlists is live here from now on"
    remember(server, path, live=True)
    assert RememberTarget(path, "superlists", live=False).check(server) is None
    RememberTarget(path, "superlists", live=False).apply(server)
    assert json.loads(server.read(path) or b"") == {"app": "superlists", "live": True}


def test_a_run_that_does_not_know_it_is_told_what_to_write(server: FakeServer, path: PurePosixPath) -> None:
    remember(server, path, live=True)
    with pytest.raises(StepFailed) as caught:
        RecallTarget("superlists", TARGET).check(server)
    for word in (TARGET.destination, "is live for superlists", "live = true", str(path)):
        assert word in str(caught.value)


def test_nobody_else_is_stopped(server: FakeServer, path: PurePosixPath) -> None:
    assert RecallTarget("superlists", TARGET).check(server) is None
    remember(server, path, live=False)
    assert RecallTarget("superlists", TARGET).check(server) is None
    remember(server, path, live=True)
    assert RecallTarget("superlists", LIVE).check(server) is None
    assert RecallTarget("another", TARGET).check(server) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_what_can_not_be_understood_stops_rather_than_guesses(
    server: FakeServer, path: PurePosixPath, content: bytes
) -> None:
    server.write(path, content, mode=0o600)
    for target in (TARGET, LIVE):
        with pytest.raises(StepFailed, match="not known whether the server is live"):
            RecallTarget("superlists", target).check(server)


@pytest.mark.parametrize("content", [None, b""])
def test_live_without_a_database_stops_and_says_how_to_mean_it(
    server: FakeServer, app: App, path: PurePosixPath, content: bytes | None
) -> None:
    database = path.parent / "data" / "db.sqlite3"
    if content is not None:
        server.write(database, content, mode=0o600)
    with pytest.raises(StepFailed) as caught:
        RequireDatabase(app, LIVE, "db.sqlite3").check(server)
    assert str(database) in str(caught.value)
    assert "--deploy-first" in str(caught.value)
    server.write(database, b"rows", mode=0o600)
    assert RequireDatabase(app, LIVE, "db.sqlite3").check(server) is None


def test_live_that_was_deployed_by_other_means_is_told_how_to_take_it_over(server: FakeServer, app: App) -> None:
    (server.home / "db.sqlite3").write_bytes(b"rows")
    with pytest.raises(StepFailed) as caught:
        RequireDatabase(app, LIVE, "db.sqlite3").check(server)
    assert "superlists was deployed to staging by other means: ~/db.sqlite3." in str(caught.value)
    assert "pytest-deploy adopt staging" in str(caught.value)
