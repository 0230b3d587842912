"""A Django site as far as a deploy sees it: it migrates, and it answers."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from deploy_plugin import closed
from deploy_plugin.database import programs
from deploy_plugin.models import App, Target
from deploy_plugin.server.base import Answer
from deploy_plugin.server.engine import ContainerSpec, Finished
from deploy_plugin.testing import FakeEngine, FakeServer

PENDING = ("lists.0001_initial", "lists.0002_item")


@dataclass
class Site:
    """What the containers of a ``FakeEngine`` hold."""

    pending: list[str] = field(default_factory=lambda: list(PENDING))
    status: int = 200
    migrate_fails: str = ""
    """What ``migrate`` says as it fails; it works where this is empty."""
    rehearsal: dict[str, Any] = field(default_factory=dict)
    """What the rehearsal finds, where that is not what it always does."""
    patience: float = 5.0
    """Seconds that the writers of the release that serves wait."""
    problems: list[dict[str, str]] = field(default_factory=list)
    """What the release that serves can't do on the new schema."""
    difference: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How another database differs: for each table, how many rows would go and come."""
    key: str = "key"
    """The key that it signs sessions with."""
    described: dict[str, Any] = field(default_factory=dict)
    """What it says of itself, where that is not what it always says; ``fails`` is what it says as it can't."""
    wrong_copy: bool = False
    """Whether it uses another database than it is to use, on a copy."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Container, path and Host header of every request."""
    commands: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    """Container and management command, in order."""

    def serve_from(self, engine: FakeEngine) -> None:
        engine.site = self.answer
        engine.command = self.manage

    def answer(self, spec: ContainerSpec, path: str, host: str) -> Answer:
        self.asked.append((spec.name, path, host))
        return Answer(self.status, {"location": "/login"} if self.status == 302 else {}, b"")

    def manage(self, spec: ContainerSpec, command: Sequence[str]) -> Finished:
        if "-S" in command:  # which migrations there are, asked of the database itself
            return Finished(0, f"{hashlib.sha256(repr(self.pending).encode()).hexdigest()}\n")
        if closed.IDLE in command:  # nobody is connected
            return Finished(0, "")
        self.commands.append((spec.name, command))
        return self._run_ours(spec, command) if "-c" in command else self._manage(spec, command)

    def _run_ours(self, spec: ContainerSpec, command: Sequence[str]) -> Finished:
        if programs.text("snapshot") in command:
            return _copy(spec, *command[-2:])
        if programs.text("rehearse") in command:
            return self._rehearse()
        if programs.text("replace") in command:
            _there(spec, command[-1]).write_bytes(_there(spec, command[-2]).read_bytes())
            return Finished(0, "")
        if programs.text("describe") in command:
            return self._describe(spec)
        if programs.text("compare") in command:
            return _answer(self.difference)
        assert programs.text("compatible") in command
        return _answer({"models": 2, "problems": self.problems, "patience": self.patience})

    def _describe(self, spec: ContainerSpec) -> Finished:
        if "fails" in self.described:
            return Finished(1, "", self.described["fails"])
        path = "/data/db.sqlite3" if spec.labels and not self.wrong_copy else "/home/nonroot/db.sqlite3"
        key = hashlib.sha256(self.key.encode()).hexdigest()
        always = {"vendor": "sqlite", "database": path, "named": path, "beside": [], "key": key, "hosts": ["*"]}
        return _answer({**always, **self.described})

    def _manage(self, spec: ContainerSpec, command: Sequence[str]) -> Finished:
        if "--plan" in command:
            return Finished(
                0, "Planned operations:\n" + "".join(f"{name}\n    Create model\n" for name in self.pending)
            )
        if "migrate" in command and self.migrate_fails:
            return Finished(1, "Running migrations:\n", self.migrate_fails)
        if "nosuch" in command:
            return Finished(1, "", "Unknown command: 'nosuch'")
        if "migrate" in command:
            for folder in spec.mounts:
                if folder.name == "data":
                    (Path(folder) / "db.sqlite3").write_bytes(b"rows")
        self.pending.clear()
        return Finished(0, "done\n")

    def _rehearse(self) -> Finished:
        applied = [{"name": name, "seconds": 0.25} for name in self.pending]
        rows = {"lists_item": 3, "lists_list": 1}
        found = {"applied": applied, "before": rows, "after": rows, "patience": 5.0, "database": "/data/db.sqlite3"}
        return _answer({**found, **self.rehearsal})


def _answer(found: Mapping[str, Any]) -> Finished:
    return Finished(0, f"The app says something.\n{programs.MARK}{json.dumps(found)}\n")


def _copy(spec: ContainerSpec, source: str, copy: str) -> Finished:
    """Copy a file as the snapshot's program does, between the folders that are mounted."""
    content = _there(spec, source).read_bytes()
    target = _there(spec, copy)
    target.write_bytes(content)
    target.chmod(0o600)
    return Finished(0, hashlib.sha256(content).hexdigest() + "\n")


def _there(spec: ContainerSpec, path: str) -> Path:
    folder = next(
        folder for folder, seen in {**spec.mounts, **spec.reads}.items() if str(seen) == path.rpartition("/")[0]
    )
    return Path(folder) / path.rpartition("/")[2]


def make_app(folder: Path, **changes: object) -> App:
    """Give an app whose build context is ``folder``, written now."""
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "app.py").write_text("print('one')\n")
    app = App("superlists", folder, port=8888, health="/health", env={"HOST": "{host}"})
    return replace(app, **cast("Any", changes))


TARGET = Target("staging", "elspeth@staging.example.com", "http://staging.example.com:8080", publish=8080)


def install_docker(server: FakeServer, archive: bytes = bytes(10240)) -> None:
    """Give the server a docker command that takes this archive out of any container; it is empty by default."""
    (server.home.parent / "archive").write_bytes(archive)
    server.install("docker", f'[ "$1" != exec ] || exec cat {server.home.parent}/archive')
    for name in ("find", "tar", "wc"):
        server.install(name, f'exec {shutil.which(name)} "$@"')


def reached(server: FakeServer, site: Site, host: str = TARGET.netloc) -> str:
    """Name the container that answers a visitor of the target's port; empty where none does."""
    for name, spec in server.engine.specs.items():
        found = server.engine.container(name)
        if spec.publish == TARGET.publish and found and found.running:
            site.asked.clear()
            server.get(found.address, spec.port or 0, "/", host=host)
            return site.asked[-1][0] if site.asked else ""
    return ""


def running(server: FakeServer) -> set[str]:
    """Name the containers that run, but for the proxy."""
    return {name for name in there(server) if (found := server.engine.container(name)) and found.running}


def there(server: FakeServer) -> set[str]:
    """Name the containers, running or not, but for the proxy."""
    return {name for name in server.engine.specs if not name.startswith("proxy-")}
