"""Real servers and real projects. What can't run here is an error, never skipped."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy_plugin import sandbox
from tests.integration.projects import Project
from tests.integration.servers import RealServer


@pytest.fixture(scope="module")
def server() -> Iterator[RealServer]:
    """A server with Docker, for the tests of one module."""
    with booted() as server:
        yield server


@pytest.fixture(scope="module", params=list(sandbox.EngineKind))
def any_server(request: pytest.FixtureRequest) -> Iterator[RealServer]:
    """A server of each kind of engine, one after the other, for the tests of one module."""
    with booted(engine=request.param) as server:
        yield server


@pytest.fixture(scope="module")
def bare_server() -> Iterator[RealServer]:
    """A server with sshd and sudo, and nothing else."""
    with booted(bare=True) as server:
        yield server


@pytest.fixture
def empty_server(server: RealServer) -> RealServer:
    """The same, as if nobody had ever deployed there; images that it knows stay."""
    server.wipe()
    return server


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A copy of the to-do site, committed."""
    return Project.copy_of_the_site(tmp_path / "superlists")


@pytest.fixture(scope="session")
def ansible(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Ansible in an environment of its own, as a project that has it would find it: first on PATH."""
    venv = tmp_path_factory.mktemp("ansible")
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "--quiet", "ansible-core"], check=True)
    with tempfile.TemporaryDirectory(prefix="ansible-") as short:  # its sockets are in there, which need a short path
        yield {"PATH": f"{venv / 'bin'}:{os.environ['PATH']}", "ANSIBLE_HOME": short}


@contextmanager
def booted(*, bare: bool = False, engine: sandbox.EngineKind | None = None) -> Iterator[RealServer]:
    box = sandbox.reserve(f"test-{secrets.token_hex(3)}", bare=bare, engine=engine)
    try:
        sandbox.boot(box)
        yield RealServer(box)
    finally:
        sandbox.remove(box)
