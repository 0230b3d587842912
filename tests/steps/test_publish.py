"""Candidate and publish, where no proxy is wanted: whatever fails, what served before still serves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin import health
from deploy_plugin.containers import Containers
from deploy_plugin.errors import RollbackFailed, StepFailed, Unreachable
from deploy_plugin.health import Probe
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.proxy import upstreams
from deploy_plugin.server.engine import ContainerSpec
from deploy_plugin.steps.candidate import StartCandidate
from deploy_plugin.steps.publish import Publish
from deploy_plugin.testing import FakeServer
from tests.site import TARGET, Site, running, there

OLD = "superlists-old"
NEW = "superlists-20261124-031205-1a2b3c4"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_PAUSE", 0.01)


@pytest.fixture
def containers(server: FakeServer, app: App) -> Containers:
    """The new release, where an old one serves."""
    server.engine.add_image("superlists:abc")
    release = Release("20261124-031205-1a2b3c4", "1a2b3c4d", "superlists:abc")
    folder = AppFolder(PurePosixPath(server.home), app.name)
    new = Containers(replace(app, proxied=False), TARGET, folder, (1000, 1000), release, {})
    Path(folder.data).mkdir(parents=True)
    server.engine.start(replace(new.serving, name=OLD))
    server.journal.clear()
    return new


def probe(containers: Containers) -> Probe:
    return Probe.of(containers.app, TARGET)


# Candidate


def test_a_candidate_that_a_killed_run_left_is_removed(server: FakeServer, containers: Containers) -> None:
    left = replace(containers, release=replace(containers.release, id="20261123-000000-0000000")).candidate
    server.engine.start(left)
    StartCandidate(containers, probe(containers)).apply(server)
    assert running(server) == {OLD, f"{NEW}-candidate"}


def test_a_candidate_runs_beside_the_old_without_its_port(server: FakeServer, containers: Containers) -> None:
    StartCandidate(containers, probe(containers)).apply(server)
    assert running(server) == {OLD, f"{NEW}-candidate"}


def test_a_candidate_that_dies_is_removed_with_its_log_shown(server: FakeServer, containers: Containers) -> None:
    server.engine.dies("*-candidate", log="ImportError: lists")
    with pytest.raises(StepFailed) as caught:
        StartCandidate(containers, probe(containers)).apply(server)
    assert "ImportError: lists" in str(caught.value)
    assert there(server) == running(server) == {OLD}


def test_a_candidate_that_is_not_healthy_is_removed(server: FakeServer, containers: Containers, site: Site) -> None:
    site.status = 400
    with pytest.raises(StepFailed, match="ALLOWED_HOSTS"):
        StartCandidate(containers, probe(containers)).apply(server)
    assert there(server) == {OLD}


def test_a_candidate_left_by_a_killed_run_is_replaced(server: FakeServer, containers: Containers) -> None:
    server.engine.start(containers.candidate)
    server.engine.stop(containers.candidate.name)
    step = StartCandidate(containers, probe(containers))
    assert step.check(server)
    step.apply(server)
    assert running(server) == {OLD, f"{NEW}-candidate"}


# Publish


def publish(server: FakeServer, containers: Containers) -> None:
    """Publish, after the candidate was well."""
    StartCandidate(containers, probe(containers)).apply(server)
    Publish(containers, probe(containers)).apply(server)


def test_the_new_serves_and_the_old_stays_stopped_for_the_way_back(server: FakeServer, containers: Containers) -> None:
    publish(server, containers)
    assert running(server) == {NEW}
    assert there(server) == {NEW, OLD}


def test_the_reason_names_who_serves(server: FakeServer, containers: Containers) -> None:
    assert Publish(containers, probe(containers)).check(server) == f"{OLD} serves"
    server.engine.stop(OLD)
    assert Publish(containers, probe(containers)).check(server) == "nothing serves yet"


def test_a_port_that_is_taken_brings_back_the_old(server: FakeServer, containers: Containers) -> None:
    server.engine.fail(f"start {NEW}", StepFailed("Docker could not start it.", got="port 8080 is already allocated"))
    with pytest.raises(StepFailed, match=f"{OLD} serves again") as caught:
        Publish(containers, probe(containers)).apply(server)
    assert "already allocated" in caught.value.got
    assert there(server) == running(server) == {OLD}


def test_a_new_one_that_dies_in_the_light_brings_back_the_old(server: FakeServer, containers: Containers) -> None:
    server.engine.dies(NEW, log="out of memory")
    with pytest.raises(StepFailed, match=f"{OLD} serves again") as caught:
        publish(server, containers)
    assert "out of memory" in str(caught.value)
    assert there(server) == running(server) == {OLD}


def test_a_new_one_that_answers_badly_brings_back_the_old(
    server: FakeServer, containers: Containers, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses: Iterator[int] = chain([200], repeat(400))
    monkeypatch.setattr(server.engine, "site", lambda *_: next(statuses))
    with pytest.raises(StepFailed, match=f"{OLD} serves again"):
        publish(server, containers)
    assert running(server) == {OLD}
    assert site.asked == []


def test_a_run_that_goes_away_in_the_middle_is_waited_for_no_longer_than_that_takes(
    server: FakeServer, containers: Containers, site: Site
) -> None:
    server.install("date", "echo 1000")
    file = Path(containers.folder.path / "unconfirmed")
    said: list[str] = []

    def answer(spec: ContainerSpec, *_: str) -> int:
        if spec.name == NEW:
            said.append(file.read_text())
        return 200

    server.engine.site = answer
    publish(server, containers)
    assert set(said) == {f"1090 {NEW}\n"}
    assert file.read_text() == f"1600 {NEW}\n"
    assert site.asked == []


@pytest.mark.parametrize("call", [f"stop {OLD}", f"start {NEW}"])
def test_ctrl_c_in_the_middle_brings_back_the_old(server: FakeServer, containers: Containers, call: str) -> None:
    server.engine.fail(call, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        publish(server, containers)
    assert there(server) == running(server) == {OLD}


def test_where_nothing_served_that_is_said(server: FakeServer, containers: Containers) -> None:
    server.engine.remove(OLD)
    server.engine.dies(NEW)
    with pytest.raises(StepFailed, match="Nothing served before"):
        publish(server, containers)
    assert there(server) == set()


@pytest.mark.parametrize("why", [StepFailed("the disk is full"), Unreachable("It broke.")])
def test_an_old_one_that_can_not_be_brought_back_is_exit_31_and_names_it(
    server: FakeServer, containers: Containers, why: Exception
) -> None:
    server.engine.dies(NEW)
    server.engine.fail(f"start_again {OLD}", why)
    with pytest.raises(RollbackFailed) as caught:
        publish(server, containers)
    assert caught.value.exit_code == 31
    assert str(why) in caught.value.got
    assert f"docker start {OLD}" in caught.value.hint


def test_an_old_one_that_does_not_live_any_more_is_exit_31_with_its_log(
    server: FakeServer, containers: Containers
) -> None:
    server.engine.dies("superlists-*[!e]", log="the disk is full")  # all but the candidate
    with pytest.raises(RollbackFailed) as caught:
        publish(server, containers)
    assert f"{OLD} ended with exit code" in caught.value.got
    assert "the disk is full" in caught.value.got


def test_a_server_that_goes_away_while_going_back_is_exit_31(server: FakeServer, containers: Containers) -> None:
    StartCandidate(containers, probe(containers)).apply(server)
    server.engine.fail(f"start {NEW}", Unreachable("It broke."))
    for call in ("start_again *", "remove *"):
        server.engine.fail(call, Unreachable("It broke."))
    with pytest.raises(RollbackFailed):
        Publish(containers, probe(containers)).apply(server)


def test_a_release_behind_a_proxy_that_was_removed_makes_room(server: FakeServer, containers: Containers) -> None:
    server.engine.remove(OLD)
    behind = replace(containers, app=replace(containers.app, proxied=True)).serving
    server.engine.ensure_network(behind.network)
    server.engine.start(replace(behind, name=OLD))
    upstreams.tell(server, containers.app.name, OLD, 8888)
    publish(server, containers)
    assert running(server) == {NEW}
    assert upstreams.content(server, containers.app.name) is None
