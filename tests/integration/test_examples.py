"""The examples of the how-to pages do what their pages say: their files are taken from there, and run."""

from __future__ import annotations

import secrets
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents import DOCS, Document
from tests.integration.projects import Project
from tests.integration.servers import RealServer


def follow(page: str, project: Project) -> None:
    """Write the files that a how-to page shows into the project."""
    for name, text in Document(DOCS / "how-to" / page).files.items():
        project.write(name, text)


def test_a_unittest_suite_judges_a_target(empty_server: RealServer, project: Project) -> None:
    follow("run-unittest-suites.md", project)
    target = empty_server.target

    here = project.pytest("functional_tests")
    there = project.pytest(f"--deploy-to={target}", "functional_tests")
    in_workers = project.pytest(f"--verify-on={target}", "functional_tests", "-n2")

    for run in (here, there, in_workers):
        assert run.exit_code == 0, run.output
        assert "1 passed" in run.output
    count = "from lists.models import *; print(Item.objects.count())"
    assert empty_server.shell(count) == "2"


def test_a_step_warms_the_cache_after_the_switch(empty_server: RealServer, project: Project) -> None:
    follow("add-a-step.md", project)

    its_own_tests = project.pytest("tests/test_warm_cache.py")
    first = project.pytest(f"--deploy-to={empty_server.target}")
    second = project.pytest(f"--deploy-to={empty_server.target}")

    assert its_own_tests.exit_code == 0, its_own_tests.output
    for run in (first, second):
        assert run.exit_code == 0, run.output
    titles = list(first.outcomes)
    assert titles[titles.index("Switch") + 1] == "Warm the cache"
    assert (first.outcomes["Warm the cache"], second.outcomes["Warm the cache"]) == ("changed", "ok")
    assert empty_server.sh(f"docker logs {empty_server.serving().split()[0]} 2>&1 | grep -c 'GET / '") == "1"


def test_a_playbook_deploys_and_the_tests_judge(
    bare_server: RealServer, project: Project, ansible: dict[str, str]
) -> None:
    follow("keep-your-playbook.md", project)
    (project.folder / "infra_tests" / "test_it.py").unlink()
    box = bare_server.sandbox
    project.edit(
        "deploy.toml", '"elspeth@staging.example.com"', f'"{box.destination}"\nssh_config = "{box.ssh_config}"'
    )
    commit = project.commit("Let Ansible deploy")

    deployed = project.pytest("--deploy-to=staging", env=ansible)
    verified = project.pytest("--verify-on=staging", "-n2")
    planned = project.pytest("--deploy-to=staging", "--deploy-plan", env=ansible)

    for run in (deployed, verified):
        assert run.exit_code == 0, run.output
        assert "5 passed" in run.output
        assert run.report["commit"] == commit
    assert bare_server.status("/health") == 200
    assert planned.exit_code not in (0, 1), planned.output

    serving = bare_server.serving()
    project.edit("playbook.yml", "  tasks:\n", "  tasks:\n    - ansible.builtin.fail: { msg: no deploys on Fridays }\n")
    stopped = project.pytest("--deploy-to=staging", env=ansible)
    judged = project.pytest("--verify-on=staging", env=ansible)

    assert stopped.exit_code == 30, stopped.output
    assert "no deploys on Fridays" in stopped.output, stopped.output
    assert "passed" not in stopped.output, stopped.output
    assert bare_server.serving() == serving
    assert judged.exit_code == 0, judged.output
    here(f"docker image rm -f superlists:{commit[:12]}")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[str]:
    """A name that nobody else's app has on this machine; its containers, images and proxy go in the end."""
    name = f"test-{secrets.token_hex(3)}"
    yield name
    for label in (f"deploy.app={name}", f"deploy.folder={tmp_path}/home/deploy/proxy"):
        here(f"docker ps -aq --filter label={label} | xargs -r docker rm -f")
    here("docker network rm deploy || true")  # somebody else's app may be on it
    here(f"docker images -q {name} | xargs -r docker image rm -f")


def test_this_machine_is_a_target(project: Project, app: str, tmp_path: Path) -> None:
    follow("deploy-to-this-machine.md", project)
    project.edit("conftest.py", "PORT = 8000", f"PORT = {free_port()}")
    project.edit("deploy.toml", 'name = "superlists"', f'name = "{app}"')
    home = tmp_path / "home"
    home.mkdir()

    first = project.pytest("--deploy-to=here", env={"HOME": str(home)})
    second = project.pytest("--deploy-to=here", env={"HOME": str(home)})
    verified = project.pytest("--verify-on=here", "-n2", env={"HOME": str(home)})

    for run in (first, second, verified):
        assert run.exit_code == 0, run.output
        assert "2 passed" in run.output
    assert set(second.outcomes.values()) == {"ok"}
    assert (home / "deploy" / app / ".env").stat().st_mode & 0o777 == 0o600
    assert here(f"docker ps -q --filter label=deploy.app={app}")


def here(script: str) -> str:
    done = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
