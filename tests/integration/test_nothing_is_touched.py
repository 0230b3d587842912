"""Whatever ends before the tests were collected, or only looks at them, contacts no server and no Docker engine."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.projects import Project

# Answers questions about the configuration (-G) as ssh does; everything else would be a connection.
WATCHED_SSH = """#!/bin/sh
for argument do [ "$argument" = -G ] && exec {ssh} "$@"; done
echo "$@" >> {log}
exit 255
"""


class Watch:
    """Stands where ssh and the Docker engine are, and keeps what they are asked."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "ssh.log"
        self._asked: list[str] = []
        ssh = folder / "bin" / "ssh"
        ssh.parent.mkdir(parents=True)
        ssh.write_text(WATCHED_SSH.format(ssh=shutil.which("ssh"), log=self._log), encoding="utf-8")
        ssh.chmod(0o755)
        self._engine = socket.socket(socket.AF_UNIX)
        self._engine.bind(str(folder / "docker.sock"))
        self._engine.listen()
        threading.Thread(target=self._listen, daemon=True).start()
        self.env = {
            "PATH": f"{ssh.parent}{os.pathsep}{os.environ['PATH']}",
            "DOCKER_HOST": f"unix://{folder}/docker.sock",
        }

    @property
    def asked(self) -> list[str]:
        ssh = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        return [*ssh, *self._asked]

    def close(self) -> None:
        self._engine.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._engine.accept()
            except OSError:
                return
            self._asked.append("Docker was asked")
            connection.close()


@pytest.fixture
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    watch = Watch(tmp_path_factory.mktemp("w"))
    yield watch
    watch.close()


@pytest.fixture
def project(project: Project) -> Project:
    project.write("deploy.toml", '[app]\nname = "superlists"\n[targets.staging]\nhost = "deploy@127.0.0.98"\n')
    project.write("pytest.ini", "[pytest]\naddopts = -p no:django\n")
    project.write("functional_tests/test_other.py", "def test_other(): pass\n")
    return project


LOOKS = {
    "--collect-only": {0},
    "--setup-plan": {0},
    "--fixtures": {0},
    "--cache-show": {0},
    "-k no_test_has_this_name": {5},
    "-m no_such_marker and not that": {5},
    "infra_tests/nosuch.py": {4, 5},  # with workers, xdist's own
    "--no-such-option": {4},
}


@pytest.mark.parametrize(("target", "workers"), [("staging", []), ("staging", ["-n2"]), ("sandbox", [])])
@pytest.mark.parametrize("look", LOOKS)
def test_looking_contacts_nobody(project: Project, watch: Watch, look: str, target: str, workers: list[str]) -> None:
    words = look.split(" ", 1) if look.startswith(("-k", "-m")) else [look]

    run = project.pytest(f"--deploy-to={target}", *words, *workers, env=watch.env)

    assert run.exit_code in LOOKS[look], run.output
    assert watch.asked == []
    assert run.report == {}


BROKEN = {
    "a syntax error": ("functional_tests/test_broken.py", "def test_(:\n"),
    "an import error": ("functional_tests/test_broken.py", "import no_such_module\n"),
    "an unknown marker": ("functional_tests/test_broken.py", "import pytest\npytestmark = pytest.mark.no_such\n"),
    "a broken conftest": ("functional_tests/conftest.py", "raise RuntimeError('broken')\n"),
}


@pytest.mark.parametrize("workers", [[], ["-n2"]])
@pytest.mark.parametrize("broken", BROKEN)
def test_what_can_not_be_collected_contacts_nobody(
    project: Project, watch: Watch, broken: str, workers: list[str]
) -> None:
    project.write(*BROKEN[broken])

    run = project.pytest("--deploy-to=staging", "--strict-markers", *workers, env=watch.env)

    assert run.exit_code in {2, 4}, run.output
    assert watch.asked == []
    assert run.report == {}


def test_the_watch_sees_a_deploy(project: Project, watch: Watch) -> None:
    run = project.pytest("--deploy-to=staging", env=watch.env)

    assert run.exit_code == 30
    assert any("deploy@127.0.0.98" in asked for asked in watch.asked)


def test_the_watch_sees_a_sandbox(project: Project, watch: Watch) -> None:
    run = project.pytest("--deploy-to=sandbox", env=watch.env)

    assert run.exit_code == 30
    assert "Docker was asked" in watch.asked
