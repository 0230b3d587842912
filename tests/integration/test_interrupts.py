"""Ctrl-C, at each step of a deploy: what served before still serves, and the run says so."""

from __future__ import annotations

import pytest

from tests.integration.projects import Project
from tests.integration.servers import RealServer

# As the terminal sends it: to the process, while the step looks, or a moment later, while it or the next ones work.
INTERRUPT = """
import os, signal, threading

def pytest_deploy_step_started(step):
    if step.title == {title!r}:
        threading.Timer({delay}, os.kill, (os.getpid(), signal.SIGINT)).start()
        if not {delay}:
            signal.sigtimedwait([], 0.05)
    if step.title == "Keep the record":
        signal.sigtimedwait([], 10)  # the last one: if it is not interrupted yet, it will be now
"""
# When the tests have passed, once or twice.
AFTERWARDS = """
import os, pytest, signal
from deploy_plugin import ending

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    commit = ending.commit

    def interrupted(*words, **more):
        for _ in range({times}):
            os.kill(os.getpid(), signal.SIGINT)
        commit(*words, **more)

    ending.commit = interrupted
"""
TITLES = [
    "Gather facts",
    "Build image",
    "Ship image",
    "Keep the release's settings",
    "Start the release",
    "Migrate",
    "Await health",
    "Ensure proxy",
]
WHILE_IT_LOOKS, WHILE_IT_WORKS = 0.0, 0.3
PROXIED = [
    *((title, delay) for delay in (WHILE_IT_LOOKS, WHILE_IT_WORKS) for title in TITLES),
    *(("Switch", delay) for delay in (WHILE_IT_LOOKS, 0.01, 0.03)),
    ("Keep the record", WHILE_IT_LOOKS),
]
PUBLISHED = [
    (title, delay) for delay in (WHILE_IT_LOOKS, WHILE_IT_WORKS) for title in ("Start the candidate", "Publish")
]


@pytest.fixture(scope="module")
def served(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> RealServer:
    """Behind a proxy."""
    project = Project.copy_of_the_site(tmp_path_factory.mktemp("first") / "superlists")
    run = project.pytest(f"--deploy-to={server.target}")
    assert run.exit_code == 0, run.output
    return server


@pytest.mark.parametrize(("title", "delay"), PROXIED)
def test_ctrl_c_leaves_what_served(served: RealServer, project: Project, title: str, delay: float) -> None:
    interrupt(served, project, title, delay)


def interrupt(served: RealServer, project: Project, title: str, delay: float) -> None:
    serving = served.serving()
    project.edit("src/lists/views.py", "from", f"# {title}, {delay}: something to build.\nfrom")
    project.write("conftest.py", INTERRUPT.format(title=title, delay=delay))

    run = project.pytest(f"--deploy-to={served.target}")

    assert run.exit_code == 30, run.output
    assert "Interrupted in: " in run.output
    assert " passed" not in run.output
    assert served.serving() == serving, run.output
    assert served.status("/health") == 200
    assert served.releases() == {serving.split()[0]}


def test_ctrl_c_when_the_tests_have_passed_waits_until_the_release_is_kept(
    served: RealServer, project: Project
) -> None:
    before = served.serving()
    project.edit("src/lists/views.py", "from", "# Too late.\nfrom")
    project.write("conftest.py", AFTERWARDS.format(times=1))

    run = project.pytest(f"--deploy-to={served.target}")

    assert run.exit_code == 0, run.output
    assert "Ctrl-C: what the tests decided is being done, and nothing else" in run.output
    assert served.serving() != before
    assert served.sh("ls deploy/superlists/unconfirmed* 2>/dev/null || true") == ""


def test_a_second_one_then_is_an_error_in_a_sentence(served: RealServer, project: Project) -> None:
    project.edit("src/lists/views.py", "from", "# Twice.\nfrom")
    project.write("conftest.py", AFTERWARDS.format(times=2))

    run = project.pytest(f"--deploy-to={served.target}")

    assert run.exit_code == 30, run.output
    assert "Interrupted as the release was about to stay." in run.output
    assert "Traceback" not in run.output
    assert served.status("/health") == 200


def test_the_next_deploy_succeeds_without_help(served: RealServer, project: Project) -> None:
    project.edit("src/lists/views.py", "from", "# After all those interruptions.\nfrom")

    run = project.pytest(f"--deploy-to={served.target}")

    assert run.exit_code == 0, run.output


@pytest.mark.parametrize(("title", "delay"), PUBLISHED)
def test_ctrl_c_leaves_what_served_without_a_proxy(
    served: RealServer, project: Project, title: str, delay: float
) -> None:
    project.edit("deploy.toml", "[app]", '[app]\nproxy = "none"')
    if not served.sh("docker ps -q --filter label=deploy.role=serving"):
        served.wipe()
        first = project.pytest(f"--deploy-to={served.target}")
        assert first.exit_code == 0, first.output

    interrupt(served, project, title, delay)
