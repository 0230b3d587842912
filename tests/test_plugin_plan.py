"""A whole run that only shows what a deploy would change."""

from __future__ import annotations

import pytest

from deploy_plugin.testing import FakeServer
from tests.inner import Project, said


@pytest.mark.parametrize("workers", [[], ["-n2"]])
def test_a_plan_shows_what_would_change_changes_nothing_and_runs_no_test(
    deployable: Project, server: FakeServer, workers: list[str]
) -> None:
    before = server.tree()
    result = deployable.run("--deploy-to=staging", "--deploy-plan", "--deploy-json=recap.json", *workers)
    assert result.ret == 0
    assert result.parseoutcomes().keys() <= {"error"}
    result.stdout.fnmatch_lines(
        [
            "*deploy plan for staging*",
            "*changed  Ensure env file: .env is missing*",
            "*skipped  Migrate: not known yet: *",
            "*changed  Switch: nothing serves yet*",
        ]
    )
    assert (server.tree(), server.journal) == (before, [])
    assert deployable.recap()["outcome"] == "changed"


def test_a_plan_of_a_verification_is_refused(project: Project) -> None:
    result = project.run("--verify-on=staging", "--deploy-plan")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--deploy-plan shows what a deploy would change*"])


def test_where_a_plugin_deploys_in_its_own_way_nothing_is_foreseen(deployable: Project, server: FakeServer) -> None:
    deployable.write("conftest.py", "def pytest_deploy_run(): raise SystemExit('it deployed')\n")
    result = deployable.run("--deploy-to=staging", "--deploy-plan")
    assert result.ret == 4
    assert "can't be foreseen" in said(result)
    assert server.journal == []
