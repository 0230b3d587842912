"""A whole run whose deploy fails: what it says, what serves then, and its exit code."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from deploy_plugin.errors import StepFailed, Unreachable
from deploy_plugin.testing import FakeServer
from tests.inner import DEPLOY_TOML, Project, said
from tests.machine import Machine
from tests.site import Site, running

PUBLISHED = DEPLOY_TOML.replace("[app]", '[app]\nproxy = "none"', 1)
FAILS_AFTER_THE_SWITCH = """
from types import SimpleNamespace
from deploy_plugin import StepFailed

def fail(server):
    raise StepFailed("No.")

def pytest_deploy_steps(steps):
    steps.append(SimpleNamespace(title="Last", check=lambda server: "never done", apply=fail))
"""


def test_a_failed_deploy_is_one_error_exit_30_and_no_test_runs(deployable: Project, site: Site) -> None:
    site.migrate_fails = "UNIQUE constraint failed: lists_item.text"
    result = deployable.run("--deploy-to=staging")
    assert result.ret == 30
    result.assert_outcomes(errors=1)
    assert said(result).count("UNIQUE constraint failed") == 1
    assert "Nothing of superlists serves there." in said(result)
    assert "Traceback" not in said(result)
    result.stdout.fnmatch_lines(
        ["*failed  Migrate: manage.py migrate*", "*ERROR at deploy of staging*", "staging : *failed=1*"]
    )


@pytest.mark.parametrize("workers", [[], ["-n2"]])
def test_a_failed_deploy_is_one_report_for_machines_too(deployable: Project, site: Site, workers: list[str]) -> None:
    site.migrate_fails = "UNIQUE constraint failed: lists_item.text"
    result = deployable.run("--deploy-to=staging", "--junitxml=junit.xml", *workers)
    assert result.ret == 30
    suite = ET.parse(deployable.pytester.path / "junit.xml").getroot()[0]  # noqa: S314 - pytest's own
    (case,) = suite.findall("testcase")
    assert (case.get("name"), suite.get("errors"), suite.get("failures")) == ("staging", "1", "0")
    (error,) = case
    assert "UNIQUE constraint failed: lists_item.text" in str(error.text)


def test_a_failed_rollback_is_exit_31(deployable: Project, server: FakeServer) -> None:
    deployable.write("deploy.toml", PUBLISHED)
    deployable.run("--deploy-to=staging")
    (old,) = running(server)
    deployable.write("app.py", "changed")
    server.engine.fail(f"stop {old}", StepFailed("Docker does not stop it"))
    server.engine.fail(f"start_again {old}", StepFailed("Docker does not start it"))
    result = deployable.run("--deploy-to=staging")
    assert result.ret == 31
    result.assert_outcomes(errors=1)
    assert f"docker start {old}" in said(result)


def test_a_server_that_can_not_be_reached_is_exit_30_and_unreachable(deployable: Project, server: FakeServer) -> None:
    server.engine.fail("image *", Unreachable("elspeth@staging.example.com can't be reached.", hint="Check the host."))
    result = deployable.run("--deploy-to=staging", "--deploy-json=recap.json")
    assert result.ret == 30
    assert "Check the host." in said(result)
    assert deployable.recap()["outcome"] == "unreachable"


def test_a_build_that_fails_shows_its_output_and_exits_30(deployable: Project, machine: Machine) -> None:
    machine.fails = StepFailed("The image does not build.", got="pip: no such package")
    result = deployable.run("--deploy-to=staging")
    assert result.ret == 30
    assert "pip: no such package" in said(result)


def test_a_bug_keeps_its_traceback(deployable: Project, machine: Machine) -> None:
    machine.fails = ZeroDivisionError("a bug")
    result = deployable.run("--deploy-to=staging")
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert "ZeroDivisionError: a bug" in said(result)


def test_ctrl_c_stops_the_deploy_and_says_what_serves(
    deployable: Project, machine: Machine, server: FakeServer
) -> None:
    deployable.run("--deploy-to=staging")
    (serving,) = running(server)
    deployable.write("app.py", "changed")
    machine.fails = KeyboardInterrupt()
    result = deployable.run("--deploy-to=staging")
    assert result.ret == 30
    result.assert_outcomes(errors=1)
    assert "Interrupted in: Build image." in said(result)
    assert f"{serving} still serves." in said(result)
    assert running(server) == {serving}


def test_a_step_that_fails_after_the_switch_sends_visitors_back(deployable: Project, server: FakeServer) -> None:
    deployable.run("--deploy-to=staging")
    (old,) = running(server)
    deployable.write("app.py", "changed")
    deployable.write("conftest.py", FAILS_AFTER_THE_SWITCH)
    result = deployable.run("--deploy-to=staging")
    assert result.ret == 30
    assert f"{old} still serves." in said(result)
    assert running(server) == {old}


def test_without_a_proxy_it_says_that_the_new_release_serves(deployable: Project, server: FakeServer) -> None:
    deployable.write("deploy.toml", PUBLISHED)
    deployable.write("conftest.py", FAILS_AFTER_THE_SWITCH)
    result = deployable.run("--deploy-to=staging")
    (serving,) = running(server)
    assert result.ret == 30
    assert f"{serving}, which this deploy started, serves already." in said(result)
