"""Snapshots of a real server: pulled, put back while the site is used, and an empty database in its place."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration import releases
from tests.integration.projects import Project
from tests.integration.releases import migrate, rows, serving
from tests.integration.servers import RealServer
from tests.integration.test_command import PLUGIN, run
from tests.integration.visitors import Visitor

KILLED = -9
# The containers are stopped by then, and the database is not replaced yet.
KILL = """
import os, signal
from deploy_plugin.database import snapshots

snapshots.take = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""
TEXTS = "SELECT text FROM lists_item ORDER BY id"


@pytest.fixture(scope="module")
def site(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A site with one wish when its release with a migration came, and another since; so there is a snapshot."""
    project = Project.copy_of_the_site(tmp_path_factory.mktemp("restore") / "superlists")
    project.write("conftest.py", PLUGIN.format(host=server.target))
    releases.without_constraint(project)
    assert project.pytest("--deploy-to=added").exit_code == 0
    visitor = Visitor(server.sandbox.url)
    visitor.add("before")
    migrate(project, 'migrations.AddField("item", "rank", models.IntegerField(null=True))')
    assert project.pytest("--deploy-to=added").exit_code == 0
    visitor.add("after")
    return project


def until(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError


def listed(site: Project) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run(site, "snapshots", "added", "list", "--json").stdout)
    return found


def test_the_snapshot_of_before_the_migration_is_pulled_whole(site: Project) -> None:
    (snapshot,) = listed(site)
    assert snapshot["whole"] is True

    done = run(site, "snapshots", "added", "pull", str(snapshot["before"]))

    assert done.returncode == 0, done.stderr
    here = Path(site.folder / str(snapshot["name"]))
    connection = sqlite3.connect(here)
    assert connection.execute(TEXTS).fetchall() == [("before",)]
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert here.stat().st_mode & 0o777 == 0o600


def test_a_snapshot_is_put_back_with_the_schema_of_the_release_that_serves(site: Project, server: RealServer) -> None:
    (snapshot,) = listed(site)
    before = serving(server)
    database = server.sh("stat -c '%U %a' deploy/superlists/data/db.sqlite3")

    refused = run(site, "restore", "added", str(snapshot["name"]))
    assert refused.returncode == 30
    assert "Say so with --yes." in refused.stderr
    assert rows(server, TEXTS) == [["before"], ["after"]]

    done = run(site, "restore", "added", str(snapshot["name"]), "--yes")

    assert done.returncode == 0, done.stderr
    assert "lists_item: 1 rows would go, 0 would come" in done.stdout
    assert rows(server, TEXTS) == [["before"]]
    assert rows(server, "SELECT rank FROM lists_item") == [[None]]
    assert rows(server, "PRAGMA integrity_check") == [["ok"]]
    assert serving(server) == before
    assert server.sh("stat -c '%U %a' deploy/superlists/data/db.sqlite3") == database
    Visitor(server.sandbox.url).add("later")
    assert rows(server, TEXTS) == [["before"], ["later"]]
    assert server.sh("docker ps -aq --filter label=deploy.role=one-off") == ""


def test_what_was_there_before_is_put_back_as_well(site: Project, server: RealServer) -> None:
    taken = next(one for one in listed(site) if str(one["name"]).endswith("-restore.sqlite3"))
    assert run(site, "restore", "added", str(taken["name"]), "--yes").returncode == 0
    assert rows(server, TEXTS) == [["before"], ["after"]]


def test_a_write_that_was_acknowledged_before_the_stop_is_in_the_snapshot(site: Project, server: RealServer) -> None:
    visitor = Visitor(server.sandbox.url)
    with visitor.writing("busy"):
        while not visitor.acknowledged:
            pass
        done = run(site, "reset-db", "added", "--yes")
    assert done.returncode == 0, done.stderr
    newest = listed(site)[0]
    now = {text for (text,) in rows(server, TEXTS)}
    assert run(site, "snapshots", "added", "pull", str(newest["name"])).returncode == 0
    connection = sqlite3.connect(site.folder / str(newest["name"]))
    kept = {text for (text,) in connection.execute(TEXTS)}
    connection.close()
    assert {"before", "after"} <= kept
    assert set(visitor.acknowledged) <= kept | now
    assert kept.isdisjoint(now)


def test_a_database_that_is_destroyed_is_restored(site: Project, server: RealServer) -> None:
    wanted = next(one for one in listed(site) if str(one["name"]).endswith("-reset-db.sqlite3"))
    server.sh(
        "head -c 50000 /dev/urandom > deploy/superlists/data/db.sqlite3; rm -f deploy/superlists/data/db.sqlite3-*"
    )

    done = run(site, "restore", "added", str(wanted["name"]), "--yes")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "nobody knows which rows would go" in done.stdout
    assert rows(server, TEXTS)[:2] == [["before"], ["after"]]
    assert server.status("/health") == 200


def test_a_restore_that_is_killed_leaves_the_site_away_no_longer_than_its_lease_lasts(
    site: Project, server: RealServer
) -> None:
    wanted = listed(site)[-1]
    conftest = (site.folder / "conftest.py").read_text(encoding="utf-8")
    site.write("conftest.py", conftest + KILL)
    before = rows(server, TEXTS)

    killed = run(site, "restore", "added", str(wanted["name"]), "--yes")

    site.write("conftest.py", conftest)
    assert killed.returncode == KILLED, killed.stderr
    assert server.releases() == set()
    server.sh('sed -i "s/^expires=.*/expires=0/" deploy/superlists/lease')  # as if its minute were over
    until(lambda: server.status("/health") == 200)
    assert rows(server, TEXTS) == before
    assert run(site, "restore", "added", str(wanted["name"]), "--yes").returncode == 0


def test_a_live_server_is_never_emptied_though_only_it_remembers(site: Project, server: RealServer) -> None:
    server.sh("""sed -i 's/"live": false/"live": true/' deploy/superlists/target.json""")
    before = rows(server, TEXTS)
    done = run(site, "reset-db", "added", "--yes")
    assert done.returncode == 30
    assert "is live" in done.stderr
    assert rows(server, TEXTS) == before
