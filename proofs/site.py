"""The site that is put to the proof: its checkout, its server, and what has to be true of it at any time."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from deploy_plugin import sandbox
from proofs.visitors import THREADS, UPLOADS, Visitors
from tests.integration.projects import Project
from tests.integration.servers import RealServer

MINUTES_AT_MOST = 10
"""For one deploy."""
_ASK = """
import hashlib, json, sqlite3
base = sqlite3.connect("file:/data/db.sqlite3?mode=ro", uri=True)
sums = [hashlib.md5(text.encode()).hexdigest() for text, in base.execute("SELECT text FROM lists_item")]
print(json.dumps([base.execute("PRAGMA integrity_check").fetchone()[0], sums]))
"""
"""Python for the container that serves: its rows are told by their sums, since uploads are long."""
_LABEL = "pytest-deploy.proof"
_VIEW = "def home("
_CHANGE_DATA = """
from django.db import migrations, models

def mark(apps, _editor):
    List, Item = apps.get_model("lists", "List"), apps.get_model("lists", "Item")
    Item.objects.create(list=List.objects.create(), text="migration {number}")

class Migration(migrations.Migration):
    dependencies = [("lists", "{after}")]
    operations = [migrations.{operation}, migrations.RunPython(mark)]
"""
_ADD = 'AddField("item", "note", models.TextField(null=True))'
_REMOVE = 'RemoveField("item", "note")'
_MODELS, _TEXT = "src/lists/models.py", "    text = models.TextField()\n"
_MOOD = '    mood = models.CharField(max_length=9, default="kept")\n'
_ADD_MOOD = 'AddField("item", "mood", models.CharField(max_length=9, default="kept"))'
_REMOVE_MOOD = 'RemoveField("item", "mood")'
"""Neither can be lived with by the release before: it does not know what must have a value, or needs what is gone."""
_LEFT = """
docker ps -a --filter label=deploy.role=one-off --format '{{.Names}}'
docker images --filter label=deploy.partial --format '{{.ID}}'
ls -d deploy/superlists/rehearsal deploy/proxy/kept.* 2>/dev/null || true
"""


class NotTrue(Exception):
    """Something that is promised is not so."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What one command left."""

    exit_code: int
    """Negative where a signal ended it: -9 is SIGKILL."""
    output: str
    report: Mapping[str, Any]
    """What ``--deploy-json`` wrote; empty where it wrote nothing."""
    seconds: float

    def require(self, exit_code: int) -> None:
        if self.exit_code != exit_code:
            raise NotTrue(f"a run ended with exit code {self.exit_code}, not {exit_code}:\n{self.output[-4000:]}")


@dataclass(frozen=True, slots=True)
class Found:
    """What is true of the site at one moment."""

    answers: bool
    lost: int
    """How many acknowledged rows are not in the database."""
    twice: int
    """How many migrations changed the data more than once."""
    integrity: str
    """What SQLite's integrity_check says."""
    serves: str
    """The container that visitors are sent to."""

    @property
    def is_well(self) -> bool:
        return self.answers and not self.lost and not self.twice and self.integrity == "ok"


@dataclass
class Site:
    """A checkout of the to-do site, and the server that it is deployed to."""

    project: Project
    server: RealServer
    changes: int = 0
    migrations: int = 0
    last_migration: str = "0003_item_once_per_list"
    notes: int = 0
    moods: int = 0
    confirm: int = 0

    def change(self, *, migrates: bool = False, closes: bool = False) -> None:
        """Change one line, and maybe what is in the database too: a column more or less, and a row that says so.

        ``closes``: it is one without which the release before, or with which it, can't work.
        """
        self.changes += 1
        self.project.edit("src/lists/views.py", _VIEW, f"# Change {self.changes}.\n{_VIEW}")
        if closes:
            self.moods += 1
            adds = self.moods % 2
            self.project.edit(_MODELS, *((_TEXT, _TEXT + _MOOD) if adds else (_MOOD, "")))
            self._add_migration(_ADD_MOOD if adds else _REMOVE_MOOD)
        elif migrates:
            self.notes += 1
            self._add_migration(_ADD if self.notes % 2 else _REMOVE)
        self.project.commit(f"Change {self.changes}")

    def confirm_within(self, seconds: int) -> None:
        """Let the server go back by itself after so many seconds without a word, from the next deploy on."""
        if self.confirm != seconds:
            self.confirm = seconds
            self.project.edit("deploy.toml", "port = 8888", f"port = 8888\nconfirm = {seconds}")

    def _add_migration(self, operation: str) -> None:
        self.migrations += 1
        number, after = self.migrations, self.last_migration
        self.last_migration = f"{number + 3:04}_mark"
        text = _CHANGE_DATA.format(number=number, after=after, operation=operation)
        self.project.write(f"src/lists/migrations/{self.last_migration}.py", text)

    def copy(self, folder: Path) -> Site:
        """Give the same checkout once more, for the same server."""
        shutil.copytree(self.project.folder, folder)
        return replace(self, project=Project(folder))

    def start(self, *arguments: str) -> Running:
        """Begin a deploy, as its user would, in a session of processes of its own."""
        deploy = ["pytest", "--deploy-json=deploy.json", f"--deploy-to={self.server.target}"]
        return Running.begun(self.project.folder, [*deploy, *arguments])

    def deploy(self, *arguments: str) -> Ended:
        """Deploy to the end, whatever that is."""
        return self.start(*arguments).end()

    def roll_back(self) -> Ended:
        """Go back by hand to the release before, or as far as that gets."""
        rollback = ["deploy_plugin.cli", "rollback", self.server.target, "--yes"]
        return Running.begun(self.project.folder, rollback).end()

    def command(self, *arguments: str) -> None:
        """Type a command of ``pytest-deploy``; it must succeed."""
        argv = [sys.executable, "-m", "deploy_plugin.cli", *arguments]
        done = subprocess.run(argv, cwd=self.project.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotTrue(f"pytest-deploy {' '.join(arguments)}:\n{done.stdout}{done.stderr}")

    def look(self, acknowledged: Collection[str]) -> Found:
        """See whether it answers, and has what it acknowledged."""
        wanted = {*map(_sum, acknowledged)}
        answers = all(self.server.status(path) == HTTPStatus.OK for path in ("/", "/health"))
        serves = self.server.serving().partition(" ")[0]
        try:
            integrity, there = json.loads(self.server.sh(f"docker exec {serves} python -c '{_ASK}'"))
        except AssertionError as error:
            return Found(answers, len(wanted), 0, f"it can't be asked: {error}", serves)
        marks = [there.count(_sum(f"migration {number + 1}")) for number in range(self.migrations)]
        return Found(answers, len(wanted - {*there}), sum(count > 1 for count in marks), integrity, serves)

    def left(self) -> str:
        """Name what a deploy that did not end has left on the server, and the next one should have cleared away."""
        return " ".join(self.server.sh(_LEFT).split())

    def is_closed(self) -> bool:
        """Say whether visitors get the maintenance page."""
        return self.server.status("/") == HTTPStatus.SERVICE_UNAVAILABLE

    def await_answer(self, seconds: float) -> bool:
        """Say whether it answers within so many seconds."""
        until = time.monotonic() + seconds
        while (status := self.server.status("/health")) != HTTPStatus.OK and time.monotonic() < until:
            time.sleep(0.1)
        return status == HTTPStatus.OK


@dataclass
class Running:
    """A deploy, or a rollback, that is under way."""

    process: subprocess.Popen[bytes]
    folder: Path
    shown: Path
    began: float

    @classmethod
    def begun(cls, folder: Path, words: Sequence[str]) -> Running:
        """Begin it; ``words`` are a module and what is typed after it."""
        shown, report = folder / "run.txt", folder / "deploy.json"
        report.unlink(missing_ok=True)
        argv = [sys.executable, "-m", *words]
        # A file, not a pipe: what outlives a killed run would hold the pipe.
        with shown.open("wb") as file:
            process = subprocess.Popen(
                argv,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(process, folder, shown, time.monotonic())

    def end(self) -> Ended:
        """Wait until it has ended."""
        try:
            exit_code = self.process.wait(timeout=MINUTES_AT_MOST * 60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise NotTrue(f"a deploy did not end within {MINUTES_AT_MOST} minutes:\n{self.shown.read_text()}") from None
        seconds = time.monotonic() - self.began
        report = self.folder / "deploy.json"
        found = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
        return Ended(exit_code, self.shown.read_text(encoding="utf-8", errors="replace"), found, seconds)


@contextmanager
def served(name: str, *, drain: int | None = None, script: str = "") -> Iterator[Site]:
    """Make a server of this name where the site serves; nothing is left of it, nor of the images.

    ``script`` is for root there, before anything is deployed.
    """
    if old := sandbox.find(name):
        sandbox.remove(old)  # of a proof that was killed
    box = sandbox.reserve(name)
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        try:
            sandbox.boot(box)
            site = Site(Project.copy_of_the_site(Path(folder) / "superlists"), RealServer(box))
            site.server.as_root(script or "true")
            prepare(site.project, name, drain)
            site.deploy().require(0)
            yield site
        finally:
            sandbox.remove(box)
            _remove_images(name)


@contextmanager
def visited(
    site: Site, rate: float, name: str, *, threads: int = THREADS, uploads: int = UPLOADS
) -> Iterator[Visitors]:
    """Let visitors come meanwhile."""
    with urllib.request.urlopen(site.server.sandbox.url) as answer:  # noqa: S310 - a loopback address
        page = answer.read().decode()
    static = page.partition('href="/static/')[2].partition('"')[0]
    with Visitors(site.server.sandbox.url, rate, name, f"/static/{static}", threads, uploads) as visitors:
        yield visitors


def _sum(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def prepare(project: Project, name: str, drain: int | None) -> None:
    """Let all that is built of it be found again by the name, and git know nothing of what the proofs put there."""
    project.edit("Dockerfile", "AS code\n", f"AS code\nLABEL {_LABEL}={name}\n")
    project.edit("Dockerfile", "COPY --from=code", f"LABEL {_LABEL}={name}\nCOPY --from=code")
    if drain is not None:
        project.edit("deploy.toml", "port = 8888", f"port = 8888\ndrain = {drain}")
    ours = ("deploy.json", "run.txt", "conftest.py", "strike.json", "struck.json", "parts.json")
    project.write(".gitignore", "".join(["__pycache__/\n.pytest_cache/\n", *(f"/{name}\n" for name in ours)]))
    project.commit("To be put to the proof")


def _remove_images(name: str) -> None:
    mine = ["docker", "images", "-q", "--filter", f"label={_LABEL}={name}"]
    for _ in range(2):  # those with a name, then what they were built on
        found = subprocess.run(mine, capture_output=True, text=True, check=True).stdout.split()
        if found:
            subprocess.run(["docker", "rmi", "-f", *{*found}], capture_output=True, check=False)
