"""Which migrations a database has: the real question, asked of a real database."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.containers import Containers
from deploy_plugin.database import recorded
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.server.engine import ContainerSpec, Finished
from deploy_plugin.testing import FakeServer
from tests.site import TARGET

TABLE = "CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT, name TEXT)"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with two migrations, in a folder whose name means something in a URI."""
    path = tmp_path / "50% of #1?" / "db.sqlite3"
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute(TABLE)
        connection.executemany(
            "INSERT INTO django_migrations (app, name) VALUES (?, ?)", [("b", "0001_initial"), ("a", "0001_initial")]
        )
    connection.close()
    return path


@pytest.fixture
def containers(server: FakeServer, app: App, database: Path) -> Containers:
    """A release that runs, in a container that is this machine."""

    def run(_spec: ContainerSpec, command: Sequence[str]) -> Finished:
        done = subprocess.run([sys.executable, *command[1:]], check=False, capture_output=True, text=True)
        return Finished(done.returncode, done.stdout, done.stderr)

    server.engine.command = run
    app = replace(app, database=PurePosixPath(database), proxied=False)
    folder, release = AppFolder(server.facts.home, app.name), Release("r1", "1a2b3c4d", "superlists:abc")
    server.engine.add_image(release.image)
    containers = Containers(app, TARGET, folder, server.facts.app_user, release, {})
    server.engine.start(containers.serving)
    return containers


def change(database: Path, sql: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(sql)
    connection.close()


def test_the_same_migrations_give_the_same_answer_in_whatever_order_they_were_applied(
    server: FakeServer, containers: Containers, database: Path
) -> None:
    before = recorded.applied(server, containers)
    assert before
    change(database, "UPDATE django_migrations SET id = id + 10 WHERE app = 'b'")
    assert recorded.applied(server, containers) == before


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM django_migrations WHERE app = 'a'",
        "INSERT INTO django_migrations (app, name) VALUES ('a', '0002_more')",
        "UPDATE django_migrations SET name = '0001_other' WHERE app = 'a'",
    ],
)
def test_one_more_one_less_and_another_give_another(
    server: FakeServer, containers: Containers, database: Path, sql: str
) -> None:
    before = recorded.applied(server, containers)
    change(database, sql)
    assert recorded.applied(server, containers) not in {before, None}


def test_asking_makes_no_database(server: FakeServer, containers: Containers, database: Path) -> None:
    database.unlink()
    assert recorded.applied(server, containers) is None
    assert not database.exists()


def test_a_database_that_django_never_saw_and_a_file_that_is_none_have_no_answer(
    server: FakeServer, containers: Containers, database: Path
) -> None:
    change(database, "DROP TABLE django_migrations")
    assert recorded.applied(server, containers) is None
    database.write_text("no database")
    assert recorded.applied(server, containers) is None


def test_a_release_that_does_not_run_and_an_app_without_a_database_are_not_asked(
    server: FakeServer, containers: Containers
) -> None:
    assert recorded.applied(server, replace(containers, app=replace(containers.app, database=None))) is None
    server.engine.stop(containers.serving.name)
    assert recorded.applied(server, containers) is None
