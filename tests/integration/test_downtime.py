"""Migrations that the release which serves can't live with: the site closes, and opens again whole in any case."""

from __future__ import annotations

import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.integration.meanwhile import meanwhile
from tests.integration.projects import Project
from tests.integration.releases import migrate, rows, serving
from tests.integration.servers import RealServer
from tests.integration.visitors import Visitor
from tests.waiting import until

NOTE = '    note = models.CharField(max_length=9, default="kept")\n'
DROP = 'migrations.RemoveField("item", "note")'
# Applied to the copy without a word; to the database, after a change that stays.
FAILS_FOR_REAL = """
import sys

def fail(*_):
    if "migrate" in sys.argv:
        raise RuntimeError("not this time")
"""
THROUGH_THE_DOOR = """
import re, urllib.error, urllib.parse, urllib.request
from http.cookiejar import CookieJar
import pytest

def test_tests_reach_the_new_release_and_visitors_do_not(deployment, base_url):
    assert base_url == deployment.url != deployment.target.url
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = browser.open(base_url, timeout=10).read().decode()
    token = re.search(r'csrfmiddlewaretoken" value="(\\w+)"', page)[1]
    form = urllib.parse.urlencode({"csrfmiddlewaretoken": token, "text": "from a test"}).encode()
    asked = urllib.request.Request(base_url, form, {"Origin": base_url})
    with browser.open(asked, timeout=10) as answer:
        assert answer.url.startswith(f"{base_url}/lists/")
        assert "from a test" in answer.read().decode()
    for data in (None, form):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(deployment.target.url, data, timeout=10)
        assert refused.value.code == 503
        assert refused.value.headers["Retry-After"] == "60"
        assert "Back in a moment" in refused.value.read().decode()
"""
DUMP = "import sqlite3; print(*sqlite3.connect('/tmp/dumped').iterdump(), sep=chr(10))"
A_FAILURE = "\ndef test_that_says_no():\n    assert False\n"
KILL = """
import os, signal

def pytest_deploy_step_started(step):
    if step.title == "Await health":
        os.kill(os.getpid(), signal.SIGKILL)
"""
ROLLBACK = "--deploy-on-failure=rollback"


@dataclass
class Crowd:
    """Visitors who look and write, a few times a second; what they were told, and what was acknowledged."""

    visitor: Visitor
    looks: list[int] = field(default_factory=list)
    """The status of each page that was asked for; 0 where there was none."""

    @property
    def acknowledged(self) -> list[str]:
        return sorted(self.visitor.acknowledged)

    @contextmanager
    def about(self, name: str) -> Iterator[None]:
        def go(over: threading.Event) -> None:
            while not over.wait(0.05):
                self.looks.append(_status(self.visitor.url))
                text = f"{name} {len(self.looks)}"
                try:
                    self.visitor.add(text)
                except urllib.error.HTTPError as error:
                    self.looks.append(error.code)
                    if "/lists/" in error.url:  # it was taken, and the site closed before the page that shows it
                        self.visitor.acknowledged.append(text)
                except OSError as error:
                    self.visitor.refused.append(f"{text}: {error}")
                else:
                    self.visitor.acknowledged.append(text)

        with meanwhile(go):
            yield


@pytest.fixture(scope="module")
def crowd(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Crowd:
    """Those of a server where a release with one column more serves."""
    project = Project.copy_of_the_site(tmp_path_factory.mktemp("first") / "superlists")
    with_note(project)
    run = project.pytest(f"--deploy-to={server.target}")
    assert run.exit_code == 0, run.output
    crowd = Crowd(Visitor(server.sandbox.url))
    with crowd.about("first"):
        until(lambda: len(crowd.visitor.acknowledged) > 1, seconds=90, pause=0.1)
    return crowd


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The next release: without the column that the one which serves needs."""
    project = Project.copy_of_the_site(tmp_path / "superlists")
    with_note(project)
    project.edit("src/lists/models.py", NOTE, "")
    migrate(project, DROP, name="0005_drop", after="0004_note")
    return project


@pytest.fixture
def undone(server: RealServer, crowd: Crowd) -> Iterator[RealServer]:
    """The same server; after the test the release before serves, with every row, and the site is open."""
    before = server.serving()
    yield server
    assert server.serving() == before
    assert everything(server) == crowd.acknowledged
    assert rows(server, "SELECT DISTINCT note FROM lists_item") == [["kept"]]
    assert rows(server, "PRAGMA integrity_check") == [["ok"]]
    assert rows(server, "PRAGMA journal_mode") == [["wal"]]
    assert server.status() == 200
    assert (
        server.sh("ls deploy/proxy/maintenance; ls deploy/superlists | grep -Ex 'downtime|unconfirmed' || true") == ""
    )
    assert set(crowd.looks) <= {200, 503}
    assert crowd.visitor.refused == []


def with_note(project: Project) -> None:
    project.edit("src/lists/models.py", "    text = models.TextField()\n", f"    text = models.TextField()\n{NOTE}")
    add = 'migrations.AddField("item", "note", models.CharField(max_length=9, default="kept"))'
    migrate(project, add, name="0004_note", after="0003_item_once_per_list")


def everything(server: RealServer) -> list[str]:
    return [text for (text,) in rows(server, "SELECT text FROM lists_item ORDER BY text")]


def dump(server: RealServer, path: str) -> str:
    """Everything that a database there holds, as SQL; told by the app's own Python."""
    name = serving(server).split()[0]
    server.sh(f"docker exec -i {name} sh -c 'cat > /tmp/dumped' < {path}")
    return server.sh(f'docker exec {name} python -c "{DUMP}"')


def command(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "deploy_plugin.cli", *arguments]
    return subprocess.run(words, cwd=project.folder, capture_output=True, text=True, check=False)


def killed(server: RealServer, project: Project) -> None:
    """Deploy, and be killed while the site is closed and its database migrated."""
    project.write("conftest.py", KILL)
    run = project.pytest(f"--deploy-to={server.target}", "--deploy-downtime")
    assert run.exit_code == -9, run.output
    (project.folder / "conftest.py").unlink()
    assert command(project, "unlock", server.target).returncode == 0


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - a loopback address
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_tests_that_fail_bring_everything_back_before_any_write_is_accepted(
    undone: RealServer, crowd: Crowd, project: Project
) -> None:
    project.write("infra_tests/test_it.py", THROUGH_THE_DOOR + A_FAILURE)

    run = project.pytest(f"--deploy-to={undone.target}", "--deploy-downtime", ROLLBACK, "--reruns=0")

    assert run.exit_code == 1, run.output
    assert run.failed_tests == {"test_that_says_no"}
    assert "not compatible (lists.Item.note: no such column: lists_item.note): with downtime" in run.output
    assert run.outcomes["Take the release back"] == "rescued"
    snapshot = dump(undone, f"deploy/superlists/snapshots/db-{run.report['release']}.sqlite3")
    assert f"'{crowd.acknowledged[0]}'" in snapshot
    assert dump(undone, "deploy/superlists/data/db.sqlite3") == snapshot


def test_a_migration_that_fails_after_all_changes_nothing(undone: RealServer, crowd: Crowd, project: Project) -> None:
    fails = "migrations.RunPython(fail)"
    migrate(project, fails, name="0006_fails", after="0005_drop", code=FAILS_FOR_REAL)

    with crowd.about("early"):
        run = project.pytest(f"--deploy-to={undone.target}", "--deploy-downtime")

    assert 503 in crowd.looks
    assert run.exit_code == 30, run.output
    assert "RuntimeError: not this time" in run.output
    assert run.outcomes["Migrate"] == "failed"
    assert "superlists-" in run.output
    assert "still serves" in run.output


def test_a_run_that_is_killed_is_taken_back_by_the_server_itself(
    undone: RealServer, crowd: Crowd, project: Project
) -> None:
    project.edit("deploy.toml", 'name = "superlists"', 'name = "superlists"\nconfirm = 6')

    with crowd.about("killed"):
        killed(undone, project)
        until(lambda: undone.status() == 200, seconds=90, pause=0.1)

    assert 503 in crowd.looks


def test_the_next_deploy_ends_what_was_left_and_drops_the_column(
    server: RealServer, crowd: Crowd, project: Project
) -> None:
    killed(server, project)
    seen = command(project, "status", server.target)
    assert server.status() == 503
    assert seen.returncode == 30
    assert "the maintenance page is up since 20" in seen.stdout
    refused = command(project, "rollback", server.target, "--yes")
    assert refused.returncode == 30
    assert f"A deploy ends that first: pytest --deploy-to={server.target}" in refused.stderr
    assert server.status() == 503
    project.write("infra_tests/test_it.py", THROUGH_THE_DOOR)

    with crowd.about("late"):
        run = project.pytest(f"--deploy-to={server.target}", "--deploy-downtime")
        after = len(crowd.acknowledged)
        until(lambda: len(crowd.acknowledged) > after, seconds=90, pause=0.1)

    assert run.exit_code == 0, run.output
    assert run.outcomes["End a downtime"] == "changed"
    assert run.outcomes["Close the site"] == "changed"
    assert everything(server) == sorted([*crowd.acknowledged, "from a test"])
    assert [name for _, name, *_ in rows(server, "PRAGMA table_info(lists_item)")] == ["id", "text", "list_id"]
    assert crowd.visitor.refused == []
    assert set(crowd.looks) <= {200, 503}
