"""A deploy that fails: whatever it was, visitors go where they went."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from deploy_plugin import health
from deploy_plugin.errors import RollbackFailed, StepFailed
from deploy_plugin.models import Deployment, Outcome
from deploy_plugin.steps.gather_facts import GatherFacts
from tests.machine import Machine
from tests.site import Site, running
from tests.transaction.deploys import NEW, Deploys, either_way, published


@either_way
@pytest.mark.usefixtures("old")
def test_a_failing_migration_leaves_the_old_container_serving_alone(deploy: Deploys, site: Site) -> None:
    ids = deploy.ids
    deploy.change_code()
    site.migrate_fails = "UNIQUE constraint failed"
    site.pending = ["lists.0003_unique"]
    assert "UNIQUE constraint failed" in str(deploy.fails())
    assert deploy.ids == ids
    assert deploy.outcomes["Migrate"] is Outcome.FAILED
    assert list(deploy.outcomes)[-1] == "Migrate"


@either_way
@pytest.mark.usefixtures("old")
def test_a_build_that_fails_stops_before_the_server_is_changed(deploy: Deploys, machine: Machine) -> None:
    ids = deploy.ids
    machine.fails = StepFailed("The image does not build.")
    deploy.change_code()
    assert "does not build" in str(deploy.fails())
    assert deploy.server.journal == []
    assert deploy.ids == ids


def test_what_is_built_is_begun_before_the_server_is_contacted(
    deploy: Deploys, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gather(_step: object, _server: object) -> None:
        deadline = time.monotonic() + 10
        while not machine.begun and time.monotonic() < deadline:
            time.sleep(0.01)
        assert machine.begun
        raise StepFailed("No.")

    monkeypatch.setattr(GatherFacts, "check", gather)
    assert str(deploy.fails()) == "No."
    assert [running.is_stopped for running in machine.begun] == [True]
    assert machine.built == []


def test_what_was_begun_for_another_platform_is_thrown_away(deploy: Deploys, machine: Machine) -> None:
    deploy.server.facts = replace(deploy.server.facts, platform="linux/arm64")
    deploy()
    assert [platform for _, _, platform in machine.built] == ["linux/arm64"]
    assert [(one.platform, one.is_stopped) for one in machine.begun] == [("linux/amd64", True), ("linux/arm64", True)]


@pytest.mark.usefixtures("old")
def test_what_does_not_build_is_built_again_by_the_next_deploy(deploy: Deploys, machine: Machine) -> None:
    machine.fails = StepFailed("The image does not build.")
    deploy.change_code()
    deploy.fails()
    machine.fails = None
    deploy()
    assert deploy.outcomes["Build image"] is Outcome.CHANGED


@either_way
def test_a_release_that_does_not_start_leaves_the_old_and_the_next_deploy_succeeds(
    deploy: Deploys, old: Deployment
) -> None:
    ids = deploy.ids
    deploy.change_code()
    deploy.server.engine.fail(f"start {NEW}*", StepFailed("no memory"))
    assert "no memory" in str(deploy.fails())
    assert deploy.ids == ids
    assert deploy.serving == old.container
    assert deploy.serving != deploy().container == deploy.serving


def test_a_release_that_dies_is_said_to_and_visitors_notice_nothing(deploy: Deploys, old: Deployment) -> None:
    ids = deploy.ids
    deploy.change_code()
    deploy.server.engine.dies(NEW, log="no reason to live")
    assert "no reason to live" in str(deploy.fails())
    assert deploy.outcomes["Await health"] is Outcome.FAILED
    assert (deploy.serving, deploy.ids) == (old.container, ids)


@pytest.mark.usefixtures("old")
def test_a_release_that_is_never_well_is_removed(deploy: Deploys, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    ids = deploy.ids
    deploy.change_code()
    site.status = 400
    assert "is not healthy" in str(deploy.fails())
    site.status = 200
    assert deploy.ids == ids


def test_a_switch_that_fails_leaves_visitors_where_they_are(deploy: Deploys, old: Deployment) -> None:
    ids = deploy.ids
    deploy.change_code()
    deploy.server.engine.fail("keep *", StepFailed("Docker has no time"))
    assert "no time" in str(deploy.fails())
    assert (deploy.serving, deploy.ids) == (old.container, ids)


def test_whatever_fails_after_the_switch_sends_visitors_back(deploy: Deploys, old: Deployment) -> None:
    ids = deploy.ids
    deploy.change_code()
    (deploy.server.home / "deploy/superlists/releases").chmod(0o500)
    deploy.server.install("mv", 'case "$*" in */releases/*.json) exit 1 ;; esac; exec /bin/mv "$@"')
    assert "can't be written" in str(deploy.fails())
    assert deploy.outcomes["Switch"] is Outcome.CHANGED
    assert (deploy.serving, deploy.ids) == (old.container, ids)


def test_visitors_that_can_not_be_sent_back_are_a_failed_rollback(deploy: Deploys, old: Deployment) -> None:
    deploy.change_code()
    deploy.server.install("mv", 'case "$*" in */releases/*.json) exit 1 ;; esac; exec /bin/mv "$@"')
    deploy.server.engine.fail(f"remove {NEW}", StepFailed("Docker does not remove it"))
    error = deploy.fails()
    assert isinstance(error, RollbackFailed)
    assert "can't be written" in error.got
    assert "does not remove it" in error.got
    assert old.container in running(deploy.server)


@published
@pytest.mark.usefixtures("old")
def test_a_publish_that_fails_leaves_the_same_container_serving(deploy: Deploys) -> None:
    ids = deploy.ids
    deploy.change_code()
    deploy.server.engine.dies(NEW)
    assert "serves again" in str(deploy.fails())
    assert deploy.ids == ids


@published
def test_a_publish_that_can_not_be_undone_is_a_failed_rollback(deploy: Deploys, old: Deployment) -> None:
    deploy.change_code()
    deploy.server.engine.dies(NEW)
    deploy.server.engine.fail(f"start_again {old.container}", StepFailed("Docker does not start it"))
    assert isinstance(deploy.fails(), RollbackFailed)


# With a proxy where there was none, and back


@published
def test_the_proxy_takes_the_port_over(deploy: Deploys, old: Deployment) -> None:
    deploy.app = replace(deploy.app, proxied=True)
    new = deploy()
    assert new.container != old.container
    assert running(deploy.server) == {new.container}
    assert deploy.serving == new.container


@published
def test_what_fails_once_the_proxy_has_the_port_gives_it_back(deploy: Deploys, old: Deployment) -> None:
    deploy.app = replace(deploy.app, proxied=True)
    deploy.server.install("mv", 'case "$*" in */releases/*.json) exit 1 ;; esac; exec /bin/mv "$@"')
    assert "can't be written" in str(deploy.fails())
    assert running(deploy.server) == {old.container}
    assert deploy.serving == old.container


def test_the_app_takes_the_port_from_a_proxy_that_was_removed(deploy: Deploys, old: Deployment) -> None:
    deploy.app = replace(deploy.app, proxied=False)
    deploy.server.engine.remove(old.front)
    new = deploy()
    assert deploy.serving == new.container
    assert running(deploy.server) == {new.container}
    deploy.app = replace(deploy.app, proxied=True)
    assert deploy.serving != deploy().container == deploy.serving
