"""A run logs in once, whatever it does there: the server's sshd is asked, not this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.projects import Project
from tests.integration.servers import RealServer

# Tests that ask the server in every way that they have.
MANY_QUESTIONS = """
import pytest


@pytest.mark.parametrize("time", range(5))
def test_it_answers(host, manage_py, deployment, time):
    assert host.run("hostname").rc == 0
    assert host.docker(deployment.container).is_running
    manage_py("migrate", "--check")
"""
FOR_PEOPLE = """
Host *
    ControlMaster auto
    ControlPath {folder}/theirs
    ControlPersist 10m
    RequestTTY force
    RemoteCommand hostname
Include {config}
"""
# Whoever deploys in their own way may answer without having asked the server.
KEEPS_WHAT_SERVES = """
import pathlib, pickle

def pytest_deploy_finished(deployment):
    pathlib.Path("kept").write_bytes(pickle.dumps(deployment))
"""
ANSWERS_WHAT_IT_KEPT = """
import pathlib, pickle

def pytest_deploy_run():
    return pickle.loads(pathlib.Path("kept").read_bytes())
"""


@pytest.fixture
def asked(project: Project) -> Project:
    """A project with every infra test of this checkout, and more questions."""
    project.take("infra_tests")
    project.write("infra_tests/test_questions.py", MANY_QUESTIONS)
    return project


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "two workers"])
def test_a_deploy_and_all_that_its_tests_ask(server: RealServer, asked: Project, workers: tuple[str, ...]) -> None:
    asked.edit("src/lists/views.py", "def home(", f"# {workers}\ndef home(")
    before = server.logins()

    deployed = asked.pytest(f"--deploy-to={server.target}", *workers)
    assert deployed.exit_code == 0, deployed.output
    assert deployed.outcomes["Switch"] == "changed"
    assert server.logins() - before == 1

    verified = asked.pytest(f"--verify-on={server.target}", *workers)
    assert verified.exit_code == 0, verified.output
    assert server.logins() - before == 2


def test_a_configuration_for_people_changes_nothing_and_keeps_no_connection_open(
    server: RealServer, asked: Project, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(FOR_PEOPLE.format(folder=tmp_path, config=server.sandbox.ssh_config), encoding="utf-8")
    before = server.logins()

    run = asked.pytest(f"--deploy-to={server.sandbox.destination}", f"--ssh-config={config}")

    assert run.exit_code == 0, run.output
    assert server.logins() - before == 1
    assert server.as_root("pgrep -af 'sshd: deploy' | grep -v pgrep || true") == ""
    assert not (tmp_path / "theirs").exists()


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["one process", "two workers"])
def test_the_tests_of_a_deploy_that_asked_nothing(
    server: RealServer, project: Project, workers: tuple[str, ...]
) -> None:
    project.write("conftest.py", KEEPS_WHAT_SERVES)
    first = project.pytest(f"--deploy-to={server.target}")
    assert first.exit_code == 0, first.output
    project.write("infra_tests/test_questions.py", MANY_QUESTIONS)
    project.write("conftest.py", ANSWERS_WHAT_IT_KEPT)
    before = server.logins()

    run = project.pytest(f"--deploy-to={server.target}", *workers)

    assert run.exit_code == 0, run.output
    assert server.logins() - before == 1


@pytest.mark.parametrize("words", [("status",), ("logs",), ("exec", "--", "true")], ids=lambda words: words[0])
def test_a_command(server: RealServer, project: Project, words: tuple[str, ...]) -> None:
    first = project.pytest(f"--deploy-to={server.target}")
    assert first.exit_code == 0, first.output
    before = server.logins()

    argv = [sys.executable, "-m", "deploy_plugin.cli", words[0], server.target, *words[1:]]
    subprocess.run(argv, cwd=project.folder, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    assert server.logins() - before == 1
