"""The image is built while the server is asked what it is, and no build outlives its run."""

from __future__ import annotations

import secrets
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.projects import Project
from tests.integration.servers import RealServer

# The first step waits until this project is being built, and then …
CONFTEST = """
import os, pathlib, signal, time
from deploy_plugin import StepFailed

FOLDER = str(pathlib.Path(__file__).parent)

def is_built():
    lines = [read(path) for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
    return any(FOLDER.encode() in line and b"build" in line for line in lines)

def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""

def pytest_deploy_step_started(step):
    if step.title == "Gather facts":
        deadline = time.monotonic() + 30
        while not is_built() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert is_built()
        {then}
"""


def slow_to_build(project: Project, then: str) -> str:
    """Let its build take a minute, with a command that no other one has."""
    command = f"sleep 60.{secrets.randbelow(10**9):09}"
    project.edit("Dockerfile", "COPY requirements", f"RUN {command}\nCOPY requirements")
    project.write("conftest.py", CONFTEST.format(then=then))
    return command


def assert_nothing_is_left(project: Project, command: str) -> None:
    lines = [read(path).replace(b"\0", b" ") for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert not [line for line in lines if str(project.folder).encode() in line]
    # The engine hears that its client left, and ends what it was about to start: a moment later.
    deadline = time.monotonic() + 30
    while command in listed():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def read(path: Path) -> bytes:
    """A process may have ended since it was seen."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def listed() -> str:
    return subprocess.run(["docker", "ps", "-a", "--no-trunc"], check=True, capture_output=True, text=True).stdout


def test_it_is_built_while_facts_are_gathered(empty_server: RealServer, project: Project) -> None:
    project.edit("src/lists/views.py", "from", f"# {secrets.token_hex(8)}\nfrom")
    project.write("conftest.py", CONFTEST.format(then="pass"))

    run = project.pytest(f"--deploy-to={empty_server.target}")

    assert run.exit_code == 0, run.output
    assert run.outcomes["Build image"] == "changed"

    run = project.pytest(f"--deploy-to={empty_server.target}", "--noconftest")

    assert run.exit_code == 0, run.output
    assert run.outcomes["Build image"] == "ok"


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGINT); signal.sigtimedwait([], 1)", "Interrupted in: Gather facts."),
        ("raise StepFailed('The server is on fire.')", "The server is on fire."),
    ],
    ids=["ctrl-c", "failure"],
)
def test_a_run_that_ends_early_ends_its_build(server: RealServer, project: Project, then: str, said: str) -> None:
    command = slow_to_build(project, then)

    run = project.pytest(f"--deploy-to={server.target}")

    assert run.exit_code == 30, run.output
    assert said in run.output
    assert "Exception in thread" not in run.output
    assert_nothing_is_left(project, command)
