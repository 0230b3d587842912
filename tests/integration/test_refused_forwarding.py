"""A server whose sshd forwards no sockets, or nothing at all: a run goes the same, through commands there."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.children import child
from tests.integration.conftest import booted
from tests.integration.projects import Project
from tests.integration.servers import RealServer

REFUSE = """
echo '{setting}' > /etc/ssh/sshd_config.d/refuse.conf
kill -HUP $(pgrep -o sshd)
sleep 1
"""
SOCKETS, ALL = "AllowStreamLocalForwarding no", "AllowTcpForwarding no"
ASKS_THE_APP = """
import pytest


@pytest.mark.parametrize("time", range(4))
def test_it_is_migrated(manage_py, time):
    manage_py("migrate", "--check")
"""
INTERRUPT = """
import os, signal, threading

def pytest_deploy_step_started(step):
    if step.title == {title!r}:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.{signal})).start()
"""


@pytest.fixture(scope="module", params=[SOCKETS, ALL])
def refusing(request: pytest.FixtureRequest) -> Iterator[RealServer]:
    with booted() as server:
        server.as_root(REFUSE.format(setting=request.param))
        yield server


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where runs make their folders; short, as sockets want it."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


where_all_is_refused = pytest.mark.parametrize("refusing", [ALL], indirect=True)


def test_it_refuses(refusing: RealServer, temporary: Path) -> None:
    forward = f"{temporary}/docker.sock:/var/run/docker.sock"
    config = ["-F", str(refusing.sandbox.ssh_config), refusing.sandbox.alias]
    ask = f"curl -s --unix-socket {temporary}/docker.sock http://docker/_ping"
    with child(["ssh", "-NL", forward, *config], stderr=subprocess.STDOUT) as ssh:
        eventually((temporary / "docker.sock").exists)
        assert subprocess.run(ask.split(), check=False, capture_output=True).stdout == b""
        ssh.kill()
        assert ssh.stdout
        assert "open failed" in ssh.stdout.read()


def test_a_deploy_and_a_second_with_every_infra_test(refusing: RealServer, project: Project, temporary: Path) -> None:
    project.take("infra_tests")
    project.write("infra_tests/test_app.py", ASKS_THE_APP)

    first = project.pytest(f"--deploy-to={refusing.target}")
    assert first.exit_code == 0, first.output
    assert refusing.status("/health") == 200

    before = refusing.containers(), refusing.files()
    again = project.pytest(f"--deploy-to={refusing.target}", "-n2")
    assert again.exit_code == 0, again.output
    assert set(again.outcomes.values()) == {"ok"}
    assert (refusing.containers(), refusing.files()) == before
    assert_nothing_is_left(refusing, temporary)


@where_all_is_refused
def test_the_command_works_there(refusing: RealServer, project: Project, temporary: Path) -> None:
    deployed = project.pytest(f"--deploy-to={refusing.target}")
    assert deployed.exit_code == 0, deployed.output

    status = command(project, "status", refusing.target)
    assert status.returncode == 0, status.stdout
    assert "running, healthy" in status.stdout
    assert command(project, "logs", refusing.target).stdout.strip()
    said = command(project, "exec", "--manage", refusing.target, "--", "shell", "-v", "0", "-c", "print(6 * 7)")
    assert said.stdout == "42\n"

    argv = [sys.executable, "-m", "deploy_plugin.cli", "logs", "--follow", refusing.target]
    with child(argv, cwd=project.folder) as following:
        assert following.stdout
        following.stdout.readline()
        following.send_signal(signal.SIGINT)
        assert following.wait(timeout=20) == 130
    assert_nothing_is_left(refusing, temporary)


@where_all_is_refused
def test_ctrl_c_leaves_nothing_behind(refusing: RealServer, project: Project, temporary: Path) -> None:
    project.edit("src/lists/views.py", "def home(", "# Interrupted\ndef home(")
    project.write("conftest.py", INTERRUPT.format(title="Ship image", signal="SIGINT"))

    run = project.pytest(f"--deploy-to={refusing.target}")

    assert run.exit_code == 30, run.output
    assert "Interrupted in: " in run.output
    assert_nothing_is_left(refusing, temporary)


@where_all_is_refused
def test_a_run_that_is_killed_leaves_no_process(refusing: RealServer, project: Project, temporary: Path) -> None:
    project.edit("src/lists/views.py", "def home(", "# Killed\ndef home(")
    project.write("conftest.py", INTERRUPT.format(title="Ship image", signal="SIGKILL"))

    run = project.pytest(f"--deploy-to={refusing.target}")

    assert run.exit_code == -signal.SIGKILL, run.output
    assert eventually(lambda: not processes_here(temporary))
    assert eventually(lambda: not processes_there(refusing))


@where_all_is_refused
def test_docker_that_listens_elsewhere_is_found(refusing: RealServer, project: Project) -> None:
    refusing.as_root(
        "mv /run/docker.sock /run/elsewhere.sock; echo DOCKER_HOST=unix:///run/elsewhere.sock >> /etc/environment"
    )

    run = project.pytest(f"--deploy-to={refusing.target}", "--deploy-wait=90")  # one that was killed holds the lease

    assert run.exit_code == 0, run.output
    assert run.outcomes["Install Docker"] == "ok"


def assert_nothing_is_left(server: RealServer, temporary: Path) -> None:
    assert [path for path in temporary.iterdir() if not path.name.startswith("pytest-of-")] == []
    assert processes_here(temporary) == []
    assert eventually(lambda: not processes_there(server)), processes_there(server)


def processes_here(folder: Path) -> list[bytes]:
    """Those that speak of the folder in which runs make theirs."""
    seen = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            seen.append(path.read_bytes())
        except OSError:
            continue
    return [words for words in seen if str(folder).encode() in words]


def processes_there(server: RealServer) -> str:
    """Those of connections, and of what they carry."""
    return server.as_root("pgrep -af 'sshd: deploy|dial-stdio' | grep -v pgrep || true")


def command(project: Project, *argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy_plugin.cli", *argv]
    return subprocess.run(
        command, cwd=project.folder, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60
    )


def eventually(look: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return seen
