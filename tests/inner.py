"""A project in which an inner pytest runs, in this process, on a server that is a folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

import deploy_plugin.targeted  # noqa: F401 - here first: what an inner run imports it forgets, and half may be known anew
from deploy_plugin import health
from deploy_plugin.session import Session
from deploy_plugin.testing import FakeServer

DEPLOY_TOML = """
[app]
name = "superlists"
port = 8888
health = "/health"
[app.secrets]
KEY = { generate = 50 }
[database]
path = "/data/db.sqlite3"
[targets.staging]
host = "elspeth@staging.example.com"
[targets.live]
host = "elspeth@www.example.com"
live = true
"""
INI = """
[pytest]
addopts = -p no:django -p no:cacheprovider
markers =
    slow: nothing of ours
"""
PASSES = "def test_{name}(): pass\n"


class Untouchable:
    """A server that must not be contacted."""

    bytes_sent = 0
    shipping = None

    def close(self) -> None:
        """Nothing was opened."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the server was contacted: {name}")


@dataclass
class Project:
    pytester: pytest.Pytester
    monkeypatch: pytest.MonkeyPatch
    connected: list[Session] = field(default_factory=list)

    def write_all(self) -> None:
        """Write an app, two named targets, an infra test and a functional test."""
        self.pytester.makeini(INI)
        self.write("Dockerfile", "FROM scratch\n")
        self.write("deploy.toml", DEPLOY_TOML)
        self.write("infra_tests/test_infra.py", PASSES.format(name="infra"))
        self.write("functional_tests/test_functional.py", PASSES.format(name="functional"))
        self.write("unit/test_unit.py", PASSES.format(name="unit"))

    def write(self, name: str, text: str) -> None:
        path = self.pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def on(self, server: FakeServer | Untouchable) -> None:
        """Let every connection of the inner run be to this server."""
        self.monkeypatch.setattr(Session, "connect", lambda _session, _hooks, **_join: server)
        self.monkeypatch.setattr(health, "_PAUSE", 0.01)

    def run(self, *arguments: str) -> pytest.RunResult:
        return self.pytester.runpytest_inprocess(*arguments, no_reraise_ctrlc=True)

    def recap(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.pytester.path / "recap.json").read_text())
        return found


def said(result: pytest.RunResult) -> str:
    return str(result.stdout) + str(result.stderr)
