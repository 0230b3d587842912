"""What a project changes with a hook: its root conftest.py is all that it takes."""

from __future__ import annotations

import pytest

from deploy_plugin.session import Session
from deploy_plugin.testing import FakeServer
from tests.inner import Project, said

CONNECT = Session.connect


def test_targets_adds_one_and_the_file_wins_over_it(deployable: Project) -> None:
    deployable.write(
        "conftest.py",
        "def pytest_deploy_targets(config):\n"
        "    host = {'host': 'elspeth@added.example.com'}\n"
        "    return {'preview': host, 'staging': host}\n",
    )
    assert "elspeth@added.example.com" in said(deployable.run("--deploy-to=preview"))
    assert "elspeth@staging.example.com" in said(deployable.run("--deploy-to=staging"))


def test_a_mistake_in_an_added_target_is_a_sentence(project: Project) -> None:
    project.write("conftest.py", "def pytest_deploy_targets(config):\n    return {'preview': {'hots': 'x'}}\n")
    result = project.run("--deploy-to=preview")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "did you mean 'host'?" in said(result)


def test_is_live_makes_a_target_live_and_no_answer_makes_it_less(deployable: Project) -> None:
    deployable.write("conftest.py", "def pytest_deploy_is_live(target):\n    return target.name == 'staging'\n")
    assert "(LIVE)" in said(deployable.run("--deploy-to=staging"))
    assert "(LIVE)" in said(deployable.run("--deploy-to=live"))


def test_connect_gives_another_server(deployable: Project, monkeypatch: pytest.MonkeyPatch, server: FakeServer) -> None:
    monkeypatch.setattr(Session, "connect", CONNECT)
    monkeypatch.setattr(FakeServer, "for_tests", server, raising=False)
    deployable.write(
        "conftest.py",
        "from deploy_plugin.testing import FakeServer\n"
        "def pytest_deploy_connect(target, join):\n"
        "    assert (target.name, join) == ('staging', False)\n"
        "    return FakeServer.for_tests\n",
    )
    deployable.run("--deploy-to=staging").assert_outcomes(passed=2)
    assert server.journal


ANOTHER_DEPLOYER = """
from deploy_plugin import transaction
from deploy_plugin.errors import StepFailed

def pytest_deploy_run(app, target, server):
    if (app.context / "broken").exists():
        raise StepFailed("The playbook failed.", got="its last lines", hint="Look at it.")
    return transaction.verify(app, target, server)
"""


def test_run_deploys_in_another_way_and_the_recap_for_machines_knows_the_release(deployable: Project) -> None:
    deployable.run("--deploy-to=staging", "--deploy-json=recap.json")
    release = deployable.recap()["release"]
    deployable.write("conftest.py", ANOTHER_DEPLOYER)
    result = deployable.run("--deploy-to=staging", "--deploy-json=recap.json")
    result.assert_outcomes(passed=2)
    assert (deployable.recap()["release"], deployable.recap()["steps"]) == (release, [])


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_run_that_fails_is_exit_30_with_its_words_and_no_test(deployable: Project, workers: str) -> None:
    deployable.write("conftest.py", ANOTHER_DEPLOYER)
    deployable.write("broken", "")
    result = deployable.run("--deploy-to=staging", workers)
    assert result.ret == 30
    result.assert_outcomes(errors=1)
    assert all(words in said(result) for words in ("The playbook failed.", "its last lines", "Look at it."))


def test_steps_edits_the_plan(deployable: Project) -> None:
    remove = (
        "def pytest_deploy_steps(app, target, steps):\n    assert steps[0].title == 'Build image'\n    del steps[-1]\n"
    )
    deployable.write("conftest.py", remove)
    deployable.run("--deploy-to=staging", "--deploy-json=recap.json")
    assert deployable.recap()["steps"][-1]["title"] == "Switch"
