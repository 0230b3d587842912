from __future__ import annotations

import shutil
from dataclasses import dataclass

import pytest

from deploy_plugin import cli
from deploy_plugin.testing import FakeServer
from tests.inner import Project

USED_BY_STATUS = ("cut", "df", "du", "tail", "tr")


@dataclass
class Command:
    """``pytest-deploy``, typed in the project's folder."""

    capsys: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    def __call__(self, *argv: str) -> int:
        self.capsys.readouterr()
        code = cli.main(argv)
        self.out, self.err = self.capsys.readouterr()
        return code


@pytest.fixture
def command(project: Project, capsys: pytest.CaptureFixture[str]) -> Command:
    assert project.connected == []
    return Command(capsys)


@pytest.fixture
def deployed(deployable: Project, server: FakeServer) -> FakeServer:
    """A server on which a release serves."""
    assert deployable.run("--deploy-to=staging").ret == 0
    for name in USED_BY_STATUS:
        server.install(name, f'exec {shutil.which(name)} "$@"')
    return server
