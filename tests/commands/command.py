"""``pytest-deploy`` as a user types it, and answers it."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest

from deploy_plugin import cli
from tests.inner import DEPLOY_TOML, Project


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


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    stdin = io.StringIO(answer)
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", stdin)


def be_live(project: Project) -> None:
    project.write("deploy.toml", DEPLOY_TOML.replace("[targets.staging]\n", "[targets.staging]\nlive = true\n"))
