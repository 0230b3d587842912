"""Going back by hand, under load, and what is left on a real server after several releases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration import releases
from tests.integration.projects import Project
from tests.integration.releases import migrate, rows, serving
from tests.integration.servers import RealServer
from tests.integration.test_command import PLUGIN, run
from tests.integration.visitors import Visitor

DROP = """
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
connection.cursor().execute('ALTER TABLE lists_item DROP COLUMN text')
MigrationRecorder(connection).record_applied('lists', '0004_dropped')
"""


def release(server: RealServer) -> str:
    return serving(server).split()[0].removeprefix("superlists-")


def history(site: Project) -> list[dict[str, Any]]:
    done = run(site, "history", "added", "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def deploy(site: Project, server: RealServer, text: str) -> str:
    site.edit("src/lists/views.py", "def home(", f"# {text}\ndef home(")
    done = site.pytest("--deploy-to=added")
    assert done.exit_code == 0, done.output
    return release(server)


@pytest.fixture(scope="module")
def site(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of which two releases stay; the first of them serves."""
    project = Project.copy_of_the_site(tmp_path_factory.mktemp("rollback") / "superlists")
    project.write("conftest.py", PLUGIN.format(host=server.target))
    project.edit("deploy.toml", "port = 8888", "port = 8888\ndrain = 1\nkeep_releases = 2")
    releases.without_constraint(project)
    deploy(project, server, "One.")
    return project


def test_no_request_fails_as_a_release_is_taken_back_and_the_database_stays(site: Project, server: RealServer) -> None:
    one = release(server)
    migrate(site, 'migrations.AddField("item", "rank", models.IntegerField(null=True))')
    two = deploy(site, server, "Two.")
    visitors = [Visitor(server.sandbox.url) for _ in range(4)]
    server.sh(f"docker rm -f superlists-{one}")  # it is made anew

    with visitors[0].writing("a"), visitors[1].writing("b"), visitors[2].writing("c"), visitors[3].writing("d"):
        back = run(site, "rollback", "added")
        forth = run(site, "rollback", "added", two)  # its container is there, stopped or about to be
        again = run(site, "rollback", "added", one)

    for done in (back, forth, again):
        assert done.returncode == 0, done.stdout + done.stderr
    assert f"{one} was seen to read and write every model on a copy of today's database" in back.stdout
    assert f"the database has the migrations that it had when {two} served" in forth.stdout
    assert release(server) == one
    assert [refused for visitor in visitors for refused in visitor.refused] == []
    acknowledged = {text for visitor in visitors for text in visitor.acknowledged}
    assert len(acknowledged) > 10
    assert acknowledged <= {text for (text,) in rows(server, "SELECT text FROM lists_item")}
    assert rows(server, "SELECT count(*) FROM lists_item WHERE rank IS NOT NULL") == [[0]]
    seen = [(one["what"], one["release"], one["verified"]) for one in history(site)]
    assert seen[-2:] == [("deploy", two, True), ("deploy", one, True)]
    assert sorted(what for what, *_ in seen) == ["deploy"] * 2 + ["rollback"] * 3


def test_what_was_taken_back_is_deployed_again_and_what_is_old_goes(site: Project, server: RealServer) -> None:
    one = release(server)
    three = site.pytest("--deploy-to=added")  # the same tree as the second
    assert three.exit_code == 0, three.output
    assert three.outcomes["Ship image"] == "ok"
    assert "superlists on the server's disk: images " in three.output
    server.sh("docker tag caddy:2.11 superlists:by-hand")
    unchanged = site.pytest("--deploy-to=added")
    assert "on the server's disk" not in unchanged.output

    deploy(site, server, "Five.")

    kept = set(server.sh("cd deploy/superlists/releases; ls *.env").split())
    assert len(kept) == 2
    assert f"{one}.env" not in kept
    assert {event["gone"] for event in history(site) if event["release"] == one} == {"its image is gone"}
    assert len(server.sh("ls deploy/superlists/releases/*.json").split()) == 4
    assert {path.removesuffix(".env") for path in kept} == set(server.sh("ls deploy/proxy/static/superlists").split())
    images = server.sh("docker image ls superlists --format '{{.Tag}}'").split()
    assert len(images) == 3
    assert "by-hand" in images
    refused = run(site, "rollback", "added", one)
    assert refused.returncode == 30
    assert "its image is gone" in refused.stderr


def test_one_that_needs_what_was_dropped_is_refused(site: Project, server: RealServer) -> None:
    now, before = release(server), server.containers()
    server.shell(DROP)  # as a later release would have
    done = run(site, "rollback", "added")
    assert done.returncode == 30
    assert "can't live with today's schema, so nothing was changed." in done.stderr
    assert "lists.Item.text: no such column" in done.stderr
    assert (release(server), server.containers()) == (now, before)
