"""Which target is live, and what else that changes in a run."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from deploy_plugin.models import READ_ONLY, Target
from deploy_plugin.testing import FakeServer
from tests.inner import DEPLOY_TOML, Project, said
from tests.site import Site

SAFE = "import pytest\npytestmark = pytest.mark.live_safe\n"
TARGET_JSON = "deploy/superlists/target.json"


@pytest.fixture
def live(deployable: Project) -> Project:
    """A live target that one infra test may run on."""
    deployable.write("infra_tests/test_infra.py", f"{SAFE}def test_safe(): pass\n")
    return deployable


def test_a_first_deploy_to_live_must_be_meant(live: Project, server: FakeServer) -> None:
    result = live.run("--deploy-to=live")
    assert result.ret == 30
    assert "--deploy-first" in said(result)
    assert server.journal == []
    assert live.run("--deploy-to=live", "--deploy-first").ret == 0


@pytest.mark.parametrize("source", ["PYTEST_ADDOPTS in the environment", "addopts in tox.ini"])
def test_that_it_is_meant_counts_only_when_typed(
    project: Project, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    if "environment" in source:
        monkeypatch.setenv("PYTEST_ADDOPTS", "--deploy-first")
    else:
        project.pytester.makeini("[pytest]\naddopts = -p no:django --deploy-first\n")
    result = project.run("--deploy-to=live")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"--deploy-first was not typed: it comes from {source}" in said(result)


def test_a_host_that_is_a_live_targets_is_live(live: Project) -> None:
    result = live.run("--deploy-to=root@www.example.com", "--deploy-first")
    result.assert_outcomes(passed=1, deselected=1)
    assert "(LIVE)" in said(result)


def test_so_is_an_address_that_its_name_stands_for(live: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    live.run("--deploy-to=root@192.0.2.1", "--deploy-first").assert_outcomes(passed=1, deselected=1)


def test_a_hook_may_say_that_a_target_is_live(live: Project) -> None:
    live.write("conftest.py", "def pytest_deploy_is_live(target):\n    return target.name == 'staging'\n")
    live.run("--deploy-to=staging", "--deploy-first").assert_outcomes(passed=1, deselected=1)


def test_the_server_remembers_and_another_checkout_is_told(live: Project, server: FakeServer) -> None:
    live.run("--deploy-to=live", "--deploy-first")
    assert json.loads((server.home / TARGET_JSON).read_text()) == {"app": "superlists", "live": True}
    live.write("deploy.toml", DEPLOY_TOML.replace("live = true", ""))
    server.journal.clear()
    for option in ("--deploy-to=live", "--verify-on=live", "--deploy-to=live", "--deploy-plan"):
        result = live.run(*(["--deploy-to=live", option] if option == "--deploy-plan" else [option]))
        assert result.ret == 30, option
        assert "is live for superlists, and this checkout does not say so" in said(result)
        assert server.journal == []


def test_elsewhere_the_server_remembers_that_it_is_not(deployable: Project, server: FakeServer) -> None:
    deployable.run("--deploy-to=staging")
    assert json.loads((server.home / TARGET_JSON).read_text())["live"] is False


# Management commands


def asks(project: Project, *arguments: str, target: str = "live") -> pytest.RunResult:
    project.write("infra_tests/test_infra.py", f"{SAFE}def test_it(manage_py):\n    manage_py(*{arguments!r})\n")
    return project.run(f"--deploy-to={target}", "--deploy-first")


@pytest.mark.parametrize("command", ["check --deploy", "showmigrations --plan", "migrate --check", "migrate --plan"])
def test_on_live_a_command_that_only_reads_may_be_run(deployable: Project, command: str) -> None:
    asks(deployable, *command.split()).assert_outcomes(passed=1, deselected=1)


@pytest.mark.parametrize(
    "command", ["migrate", "migrate --fake --check", "flush --no-input", "shell -c 1", "checks", ""]
)
def test_on_live_any_other_is_refused_by_name(deployable: Project, site: Site, command: str) -> None:
    result = asks(deployable, *command.split())
    result.assert_outcomes(failed=1, deselected=1)
    assert f"manage.py {command} may not be run on live, which is live" in said(result)
    assert "manage_allow" in said(result)
    assert "Allowed there: check, showmigrations, migrate --check, migrate --plan." in said(result)
    assert not [asked for _, asked in site.commands if asked == ("python", "manage.py", *command.split())]


def test_a_target_says_itself_what_is_allowed(deployable: Project) -> None:
    allowing = DEPLOY_TOML + 'manage_allow = ["create_session"]\n'
    deployable.write("deploy.toml", allowing)
    asks(deployable, "create_session", "edith@example.com").assert_outcomes(passed=1, deselected=1)
    asks(deployable, "check").assert_outcomes(failed=1, deselected=1)


def test_elsewhere_everything_may_be_run(deployable: Project) -> None:
    asks(deployable, "flush", "--no-input", target="staging").assert_outcomes(passed=2)


def test_a_list_counts_where_nothing_is_live_too() -> None:
    target = Target("staging", "x", "http://x", manage_allow=())
    assert target.allows("check") is False
    assert Target("live", "x", "http://x", live=True).allowed == READ_ONLY


@pytest.mark.parametrize("value", ['"check"', "[1]", '[""]'])
def test_a_list_that_is_none_is_refused_with_an_example(project: Project, value: str) -> None:
    project.write("deploy.toml", f"{DEPLOY_TOML}manage_allow = {value}\n")
    result = project.run("--deploy-to=live")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "targets.live.manage_allow must be" in said(result)


def test_what_failing_tests_do_is_one_of_two_words(project: Project) -> None:
    project.write("deploy.toml", DEPLOY_TOML + 'on_failure = "stop"\n')
    result = project.run("--deploy-to=live")
    assert result.ret == 4
    assert 'on_failure must be "rollback" or "keep", not \'stop\'' in said(result)


def test_on_live_failing_tests_roll_back_where_nothing_else_is_said() -> None:
    assert Target("live", "x", "http://x", live=True).rolls_back
    assert not Target("live", "x", "http://x", live=True, on_failure="keep").rolls_back
    assert not Target("staging", "x", "http://x").rolls_back
