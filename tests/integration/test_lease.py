"""Two runs that deploy to one server: one is frozen, or killed, while it is at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.children import child
from tests.integration.projects import Project
from tests.integration.servers import RealServer

FREEZE = """
import os, signal

def pytest_deploy_step_started(step):
    if step.title == "Switch":
        os.kill(os.getpid(), signal.SIGSTOP)
"""
LEASE = "deploy/superlists/lease"


@pytest.fixture
def served(server: RealServer, project: Project) -> RealServer:
    run = project.pytest(f"--deploy-to={server.target}")
    assert run.exit_code == 0, run.output
    return server


@pytest.fixture
def frozen(served: RealServer, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another checkout's run, which has started its release and was to send visitors there."""
    other = Project.copy_of_the_site(tmp_path / "other" / "superlists")
    other.edit("src/lists/views.py", "from", "# The release of a run that freezes.\nfrom")
    other.write("conftest.py", FREEZE)
    with stopped(other, served) as process:
        yield process


@contextmanager
def stopped(project: Project, server: RealServer) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "pytest", f"--deploy-to={server.target}"]
    with child(command, cwd=project.folder, stderr=subprocess.STDOUT) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), process.communicate()[0]
        yield process


def let_it_end(server: RealServer, seconds: int) -> None:
    """Let the lease end so many seconds from now by the server's clock, as if the rest of its time were over."""
    server.sh(f'sed -i "s/^expires=.*/expires=$(($(date +%s) + {seconds}))/" {LEASE}')


def test_a_run_that_was_frozen_past_its_lease_changes_nothing_more(
    served: RealServer, project: Project, frozen: subprocess.Popen[str]
) -> None:
    first = served.serving()
    project.edit("src/lists/views.py", "from", "# The release of the run that takes over.\nfrom")

    early = project.pytest(f"--deploy-to={served.target}")
    assert early.exit_code == 30, early.output
    assert " is at work on superlists on " in early.output
    assert served.serving() == first

    let_it_end(served, 0)
    run = project.pytest(f"--deploy-to={served.target}")
    assert run.exit_code == 0, run.output
    second, files = served.serving(), served.files()
    assert second != first

    frozen.send_signal(signal.SIGCONT)
    output, _ = frozen.communicate(timeout=120)
    assert frozen.returncode == 30, output
    assert "This run's lease ended, and another run was there since: nothing more was changed." in output
    assert " passed" not in output
    assert (served.serving(), served.files(), served.status("/health")) == (second, files, 200)


def test_the_lease_of_a_killed_run_ends_by_itself(
    served: RealServer, project: Project, frozen: subprocess.Popen[str]
) -> None:
    frozen.kill()
    frozen.wait()
    project.edit("src/lists/views.py", "from", "# The release after the killed run's.\nfrom")
    let_it_end(served, 15)

    run = project.pytest(f"--deploy-to={served.target}", "--deploy-wait=60")

    assert run.exit_code == 0, run.output
    assert run.outcomes["Wait for the lease"] == "changed"
    assert "expires=0" in served.sh(f"cat {LEASE}")
