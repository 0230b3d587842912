"""A whole run: an inner pytest deploys to a server that is a folder, and tests it."""

from __future__ import annotations

import re

import pytest

from deploy_plugin.testing import FakeServer
from tests.inner import DEPLOY_TOML, Project, said
from tests.machine import Machine
from tests.site import Site, running

SEES_ITS_TARGET = """
def test_it(deployment, base_url, request):
    assert base_url == deployment.url == "http://staging.example.com"
    assert request.config.option.hosts == "ssh://elspeth@staging.example.com"
    assert deployment.container.startswith("superlists-2")
    assert {recap}deployment.recap.steps
"""


SEES_ITS_HOST = """
from pathlib import Path

def test_it(host):
    assert (host.backend.host.user, host.backend.host.name) == ("elspeth", "staging.example.com")
    assert "ControlPath" in Path(host.backend.ssh_config).read_text()
"""


def test_it_deploys_then_tests_and_says_both(deployable: Project, server: FakeServer) -> None:
    result = deployable.run("--deploy-to=staging", "-v")
    assert result.ret == 0
    result.assert_outcomes(passed=2)
    assert len(running(server)) == 1
    result.stdout.fnmatch_lines(
        [
            "deploy: superlists to staging: elspeth@staging.example.com, http://staging.example.com",
            "*deploy to staging*",
            "*ok  Gather facts*",
            "*release 2*",
            "*changed  Switch: nothing serves yet*",
            "*test_infra*PASSED*",
            "*test_functional*PASSED*",
            "*deploy recap*",
            "staging : ok=* failed=0 *",
            "release 2* of staging: http://staging.example.com",
        ]
    )


def test_a_second_run_is_all_ok_and_changes_nothing(deployable: Project, server: FakeServer) -> None:
    deployable.run("--deploy-to=staging")
    server.journal.clear()
    result = deployable.run("--deploy-to=staging")
    result.stdout.fnmatch_lines(["staging : ok=* changed=0 *"])
    assert server.journal == []


def test_a_target_and_no_path_runs_only_what_verifies_infra_first(deployable: Project) -> None:
    result = deployable.run("--deploy-to=staging", "-v")
    assert re.findall(r"(\w+)\.py::test", said(result)) == ["test_infra", "test_functional"]


def test_deploy_testpaths_decide_what_and_in_which_order(deployable: Project) -> None:
    order = "deploy_testpaths=functional_tests unit infra_tests"
    result = deployable.run("--deploy-to=staging", "-v", "-o", order)
    assert re.findall(r"(\w+)\.py::test", said(result)) == ["test_functional", "test_unit", "test_infra"]


def test_a_path_that_is_given_is_what_runs(deployable: Project) -> None:
    result = deployable.run("--deploy-to=staging", "-v", "unit")
    assert re.findall(r"(\w+)\.py::test", said(result)) == ["test_unit"]


def test_paths_in_any_order_still_run_infra_first(deployable: Project) -> None:
    result = deployable.run("--deploy-to=staging", "-v", "unit", "functional_tests", "infra_tests")
    assert re.findall(r"(\w+)\.py::test", said(result)) == ["test_infra", "test_functional", "test_unit"]


def test_tests_see_the_target_and_its_recap(deployable: Project) -> None:
    deployable.write("infra_tests/test_infra.py", SEES_ITS_TARGET.format(recap=""))
    deployable.run("--deploy-to=staging").assert_outcomes(passed=2)


def test_testinfras_host_is_the_target_over_the_runs_connection(deployable: Project) -> None:
    deployable.write("infra_tests/test_infra.py", SEES_ITS_HOST)
    deployable.run("--deploy-to=staging").assert_outcomes(passed=2)


def test_a_management_command_runs_in_the_deployed_container(deployable: Project, site: Site) -> None:
    deployable.write(
        "infra_tests/test_infra.py", "def test_it(manage_py):\n    assert manage_py('check', '--deploy') == 'done\\n'\n"
    )
    deployable.run("--deploy-to=staging").assert_outcomes(passed=2)
    container, command = site.commands[-1]
    assert container.startswith("superlists-2")
    assert command == ("python", "manage.py", "check", "--deploy")


def test_a_management_command_that_fails_shows_what_it_said(deployable: Project) -> None:
    deployable.write("infra_tests/test_infra.py", "def test_it(manage_py):\n    manage_py('nosuch')\n")
    result = deployable.run("--deploy-to=staging")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "manage.py nosuch ended with exit code 1" in said(result)
    assert "Unknown command: 'nosuch'" in said(result)


def test_a_failing_test_is_exit_1_and_the_release_stays(deployable: Project, server: FakeServer) -> None:
    deployable.write("infra_tests/test_infra.py", "def test_it():\n    assert 0\n")
    result = deployable.run("--deploy-to=staging")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1, failed=1)
    assert len(running(server)) == 1


def test_verifying_runs_no_step_and_changes_nothing(deployable: Project, server: FakeServer) -> None:
    deployable.run("--deploy-to=staging")
    server.journal.clear()
    deployable.write("infra_tests/test_infra.py", SEES_ITS_TARGET.format(recap="not "))
    result = deployable.run("--verify-on=staging")
    result.assert_outcomes(passed=2)
    assert server.journal == []
    assert "deploy recap" not in said(result)


def test_verifying_where_nothing_serves_is_one_error_that_says_how_to_deploy(deployable: Project) -> None:
    result = deployable.run("--verify-on=staging")
    assert result.ret == 30
    result.assert_outcomes(errors=1)
    assert "--deploy-to=staging" in said(result)


def test_live_runs_only_what_is_marked_safe(deployable: Project) -> None:
    marked = "import pytest\n@pytest.mark.live_safe\ndef test_safe(): pass\ndef test_unsafe(): pass\n"
    deployable.write("functional_tests/test_functional.py", marked)
    result = deployable.run("--deploy-to=live", "--deploy-first", "-v")
    result.assert_outcomes(passed=1, deselected=2)
    assert "(LIVE)" in said(result)
    assert "test_safe PASSED" in said(result)


def test_nothing_that_is_safe_on_live_contacts_nothing(project: Project) -> None:
    result = project.run("--deploy-to=live")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "@pytest.mark.live_safe" in said(result)


def test_the_recap_stands_before_the_tests_and_after_them(deployable: Project) -> None:
    result = deployable.run("--deploy-to=staging", "-v")
    result.stdout.fnmatch_lines(["staging : ok=*", "*test_infra*PASSED*", "*deploy recap*", "staging : ok=*"])


@pytest.mark.parametrize("arguments", [["--collect-only"], ["--deploy-plan"], ["-k", "nothing"], ["broken"]])
def test_a_run_that_deploys_nothing_begins_no_build(
    deployable: Project, machine: Machine, arguments: list[str]
) -> None:
    deployable.write("broken/test_broken.py", "import nothing_of_that_name\n")
    deployable.run("--deploy-to=staging", *arguments)
    assert machine.begun == []


@pytest.mark.parametrize(
    ("conftest", "secret", "begins"),
    [
        ("", "generate = 50", True),
        ("", 'command = ["printf", "x"]', False),
        ("def pytest_deploy_run(): pass\n", "generate = 50", False),
    ],
    ids=["ours", "a secret that has to be asked for", "somebody else deploys"],
)
def test_the_connection_is_begun_where_it_is_sure_to_be_used_first(  # noqa: PLR0913 - three cases
    deployable: Project,
    server: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    conftest: str,
    secret: str,
    *,
    begins: bool,
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(server, "begin", lambda: begun.append("begun"))
    deployable.write("conftest.py", conftest)
    deployable.write("deploy.toml", DEPLOY_TOML.replace("generate = 50", secret))
    assert deployable.run("--deploy-to=staging").ret == 0
    assert begun == ["begun"] * begins


def test_no_secret_is_in_anything_that_a_run_says(deployable: Project, server: FakeServer) -> None:
    result = deployable.run("--deploy-to=staging", "--deploy-json=recap.json", "-vv")
    key = (server.home / "deploy/superlists/.env").read_text().strip().removeprefix("KEY=")
    assert len(key) == 50
    assert key not in said(result) + str(deployable.recap())
