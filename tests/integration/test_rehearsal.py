"""Migrations on a real server: what the data or the release that serves can't take stops before anything changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration import releases
from tests.integration.conftest import booted
from tests.integration.projects import Project
from tests.integration.releases import migrate, rows, serving
from tests.integration.servers import RealServer
from tests.integration.test_what_goes_wrong import assert_one_sentence
from tests.integration.visitors import Visitor

WISH = "s3ntinel-wish"
KILL = """
import os, signal, threading

def pytest_deploy_step_started(step):
    if step.title == "Migrate":
        threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGKILL)).start()
"""
SLOWLY = """
def slowly(apps, _editor):
    apps.get_model("lists", "List").objects.create()
    time.sleep(4)
"""


@pytest.fixture(scope="module")
def served(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> RealServer:
    """A server where the release without the constraint serves; somebody wrote the same wish twice."""
    project = Project.copy_of_the_site(tmp_path_factory.mktemp("first") / "superlists")
    releases.without_constraint(project)
    run = project.pytest(f"--deploy-to={server.target}")
    assert run.exit_code == 0, run.output
    visitor = Visitor(server.sandbox.url)
    page, _ = visitor.add(WISH)
    for wish in (WISH, "milk"):
        visitor.add(wish, page)
    return server


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project.copy_of_the_site(tmp_path / "superlists")
    releases.without_constraint(project)
    return project


@pytest.fixture
def refused(served: RealServer) -> Iterator[RealServer]:
    """The same server; after the test all is as before, to the bytes of the database, and nothing else is there."""
    before = _seen(served)
    yield served
    assert _seen(served) == before
    assert served.status("/health") == 200


def _seen(server: RealServer) -> list[str]:
    return [
        serving(server),
        server.sh("docker ps -a --filter label=deploy.app=superlists --format '{{.Names}}'"),
        server.sh("sha256sum deploy/superlists/data/db.sqlite3*"),
        server.sh("ls -A deploy/superlists"),
    ]


def refuses(server: RealServer, project: Project, *arguments: str) -> str:
    run = project.pytest(f"--deploy-to={server.target}", *arguments)
    assert_one_sentence(run)
    assert run.outcomes["Rehearse the migration"] == "failed", run.output
    assert "Migrate" not in run.outcomes
    return run.output


def test_duplicates_stop_the_release_with_the_constraint(refused: RealServer, project: Project) -> None:
    releases.with_constraint(project)

    said = refuses(refused, project, "--junitxml=junit.xml")

    assert "The migration lists.0003_item_once_per_list fails on a copy of the data, so nothing was changed." in said
    assert "UNIQUE constraint failed: lists_item.list_id, lists_item.text" in said
    assert "2 rows of lists_item stand in its way, in 1 places (list_id, text):" in said
    assert "keys 1, 2" in said
    assert f"pytest-deploy reset-db {refused.target}" in said
    written = [(project.folder / name).read_text() for name in ("junit.xml", "deploy.json")]
    assert WISH not in "".join([said, *written])
    assert WISH in refuses(refused, project, "-v")


@pytest.mark.parametrize(
    ("operation", "named"),
    [
        ('migrations.RenameField("item", "text", "wish")', "lists.Item.text: no such column"),
        ('migrations.RemoveField("item", "text")', "lists.Item.text: no such column"),
        ('migrations.AddField("item", "rank", models.IntegerField(default=1))', "lists.Item.rank: NOT NULL"),
    ],
    ids=["renamed", "dropped", "wanted"],
)
def test_a_column_that_the_release_which_serves_needs_stops_it(
    refused: RealServer, project: Project, operation: str, named: str
) -> None:
    migrate(project, operation)
    project.edit("src/lists/views.py", "Item.objects.exists()", "pass")

    said = refuses(refused, project)

    assert "can't live with the new schema, so nothing was changed." in said
    assert named in said


def test_a_rebuild_that_takes_longer_than_writers_wait_stops_it(refused: RealServer, project: Project) -> None:
    migrate(project, 'migrations.AlterField("item", "text", models.CharField(max_length=50))')
    project.edit("src/superlists/settings.py", '"timeout": 10', '"timeout": 0.001')

    said = refuses(refused, project)

    assert "writers wait no longer than 0.001 s: visitors would see errors." in said


def test_a_migration_that_hangs_is_ended(refused: RealServer, project: Project) -> None:
    migrate(project, "migrations.RunPython(lambda *_: time.sleep(3600))")
    project.edit("deploy.toml", "[database]\n", "[database]\nlimit = 5\n")

    said = refuses(refused, project)

    assert "did not end within 5 s, and was stopped." in said


def test_one_that_another_deploy_left_and_that_hangs_is_not_joined(served: RealServer, project: Project) -> None:
    migrate(project, "migrations.RunPython(migrations.RunPython.noop)")
    project.edit("deploy.toml", "[database]\n", "[database]\nlimit = 2\n")
    left = "superlists-20200101-000000-abcdef0-migrate"
    image = served.sh(f"docker inspect -f '{{{{.Config.Image}}}}' {serving(served).split()[0]}")
    labels = "--label deploy.app=superlists --label deploy.role=one-off"
    served.sh(f"docker run -d --name {left} {labels} {image} sleep 1000")
    try:
        said = refuses(served, project)
    finally:
        served.sh(f"docker rm -f {left}")

    assert f"{left}, which another deploy left, still migrates the database after 2 s." in said
    assert f"docker rm -f {left}" in said


def test_a_data_migration_goes_before_the_constraint_and_no_row_is_lost(served: RealServer, project: Project) -> None:
    releases.with_constraint(project)
    releases.put_right(project)
    visitor = Visitor(served.sandbox.url)

    with visitor.writing("early"):
        run = project.pytest(f"--deploy-to={served.target}")

    assert run.exit_code == 0, run.output
    assert "lists_item: " not in run.output
    assert "0003_number in 0." in run.output
    texts = [text for (text,) in rows(served, "SELECT text FROM lists_item ORDER BY id")]
    assert texts[:3] == [WISH, f"{WISH} (2)", "milk"]
    assert visitor.acknowledged
    assert visitor.refused == []
    assert sorted(texts[3:]) == sorted(visitor.acknowledged)
    assert rows(served, "PRAGMA integrity_check") == [["ok"]]
    kept = served.sh("cd deploy/superlists/snapshots && sha256sum -c *.sha256 && stat -c %a *.sqlite3")
    assert kept.splitlines() == [f"db-{run.report['release']}.sqlite3: OK", "600"]
    assert "rehearsal" not in served.sh("ls -A deploy/superlists")


def test_a_deploy_that_is_killed_as_it_migrates_is_gone_on_with_by_the_next(
    served: RealServer, project: Project
) -> None:
    releases.with_constraint(project)
    releases.put_right(project)
    migrate(project, "migrations.RunPython(slowly)", name="0005_slow", after="0004_item_once_per_list", code=SLOWLY)
    (before,) = rows(served, "SELECT COUNT(*) FROM lists_list")
    project.write("conftest.py", KILL)
    killed = project.pytest(f"--deploy-to={served.target}")
    assert killed.exit_code == -9, killed.output
    (project.folder / "conftest.py").unlink()

    run = project.pytest(f"--deploy-to={served.target}", "--deploy-wait=120")

    assert run.exit_code == 0, run.output
    assert rows(served, "SELECT COUNT(*) FROM lists_list") == [[before[0] + 1]]
    assert served.sh("docker ps -aq --filter label=deploy.role=one-off") == ""


def test_without_a_proxy_the_same_is_refused_and_the_same_is_let_through(project: Project) -> None:
    project.edit("deploy.toml", 'name = "superlists"', 'name = "superlists"\nproxy = "none"')
    with booted() as server:
        assert project.pytest(f"--deploy-to={server.target}").exit_code == 0
        page, _ = Visitor(server.sandbox.url).add(WISH)
        Visitor(server.sandbox.url).add(WISH, page)
        there = server.sh("docker ps -a --format '{{.ID}} {{.Names}}'; sha256sum deploy/superlists/data/db.sqlite3*")
        releases.with_constraint(project)

        assert "keys 1, 2" in refuses(server, project)

        now = server.sh("docker ps -a --format '{{.ID}} {{.Names}}'; sha256sum deploy/superlists/data/db.sqlite3*")
        assert now == there
        releases.put_right(project)
        run = project.pytest(f"--deploy-to={server.target}")
        assert run.exit_code == 0, run.output
        assert f"{WISH} (2)" in Visitor(server.sandbox.url).read(page)
