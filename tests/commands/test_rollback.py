"""Going back by hand, on a server that is a folder."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from deploy_plugin.server.base import Answer, Result
from deploy_plugin.testing import FakeServer
from tests.commands.command import Command, be_live, on_a_terminal
from tests.commands.releases import before, change_record, deploy, ids, record, told
from tests.inner import DEPLOY_TOML, Project
from tests.site import Site, running

PUBLISHED = DEPLOY_TOML.replace("port = 8888\n", 'port = 8888\nproxy = "none"\n')


def test_visitors_go_to_the_release_before_and_the_other_ends(
    two: tuple[str, str], server: FakeServer, command: Command
) -> None:
    old, new = two
    server.install("setsid", "exec sh -c true")
    assert command("rollback", "staging") == 0, command.err
    assert told(server) == old
    assert f"staging: from {new} back to {old}, deployed " in command.out
    assert "its tests passed" in command.out
    assert f"the database has the migrations that it had when {old} served" in command.out
    assert f"{old} serves, and answers as a visitor asks" in command.out
    assert [line for line in server.journal if "superlists" in line and "change" not in line] == [
        f"start_again superlists-{old}"
    ]
    (done,) = record(server, old)["rollbacks"]
    assert done["instead_of"] == new
    assert "@" in done["by"]


def test_one_whose_time_is_over_just_then_is_started_again(
    two: tuple[str, str], server: FakeServer, command: Command
) -> None:
    told_docker = server.home.parent / "told"
    server.install("docker", f'echo "$*" >>{told_docker}')
    assert command("rollback", "staging") == 0, command.err
    assert told_docker.read_text().splitlines()[0] == f"start superlists-{two[0]}"


def test_one_that_ends_while_it_is_asked_for_as_its_time_was_over_is_started_again(
    two: tuple[str, str], server: FakeServer, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, name = two[0], f"superlists-{two[0]}"
    server.engine.start_again(name)  # it finishes what it began
    site, run = server.engine.site, server.run

    def stopped_once(*_: object) -> Answer:
        server.engine.site = site
        server.engine.stop(name)
        raise ConnectionRefusedError

    def docker(*argv: str | PurePosixPath, stdin: bytes = b"") -> Result:
        if any("docker start" in str(word) for word in argv):
            server.engine.start_again(str(argv[-1]))
        return run(*argv, stdin=stdin)

    server.engine.site = stopped_once
    monkeypatch.setattr(server, "run", docker)
    assert command("rollback", "staging") == 0, command.err
    assert told(server) == old
    assert name in running(server)


def test_a_container_that_is_gone_is_made_anew_as_it_was(
    two: tuple[str, str], server: FakeServer, command: Command, project: Project
) -> None:
    old, _ = two
    before = server.engine.specs[f"superlists-{old}"]
    server.engine.remove(f"superlists-{old}")
    project.write("deploy.toml", DEPLOY_TOML.replace("port = 8888", "port = 9999").replace("/health", "/elsewhere"))
    assert command("rollback", "staging", old) == 0, command.err
    again = server.engine.specs[f"superlists-{old}"]
    assert (again.image, again.mounts, again.port) == (before.image, before.mounts, before.port)
    assert {key: value.reveal() for key, value in again.env.items()} == {  # type: ignore[union-attr]
        key: value.reveal()  # type: ignore[union-attr]
        for key, value in before.env.items()
    }
    assert told(server) == old


def test_one_that_can_not_live_with_the_schema_is_refused_with_model_and_field(
    two: tuple[str, str], server: FakeServer, command: Command, site: Site
) -> None:
    old, new = two
    change_record(server, old, migrations="others")
    site.problems = [{"model": "lists.Item", "field": "rank", "problem": "NOT NULL constraint failed"}]
    assert command("rollback", "staging", "--yes") == 30
    assert f"{old} can't live with today's schema, so nothing was changed." in command.err
    assert "lists.Item.rank: NOT NULL constraint failed" in command.err
    assert "keep its migrations, and deploy that" in command.err
    assert told(server) == new
    assert not (server.home / "deploy/superlists/rehearsal").exists()
    assert running(server) == {f"superlists-{new}"}


def test_one_that_can_is_seen_on_a_copy(two: tuple[str, str], server: FakeServer, command: Command) -> None:
    old, _ = two
    change_record(server, old, migrations="others")
    assert command("rollback", "staging") == 0, command.err
    assert f"{old} was seen to read and write every model on a copy of today's database" in command.out
    assert told(server) == old


def test_a_database_elsewhere_is_refused(two: tuple[str, str], server: FakeServer, command: Command) -> None:
    old, new = two
    change_record(server, old, app={**record(server, old)["app"], "database": "/data/other.sqlite3"})
    assert command("rollback", "staging") == 30
    assert f"{old} has its database at /data/other.sqlite3, and today's is at /data/db.sqlite3" in command.err
    assert told(server) == new


def test_one_that_does_not_answer_is_not_switched_to_and_ends_again(
    two: tuple[str, str], server: FakeServer, command: Command
) -> None:
    old, new = two
    server.engine.site = lambda spec, *_: Answer(400 if old in spec.name else 200, {}, b"")
    assert command("rollback", "staging") == 30
    assert f"The container superlists-{old} runs, but is not healthy." in command.err
    assert told(server) == new
    assert running(server) == {f"superlists-{new}"}


def test_a_release_whose_tests_failed_is_gone_back_to_only_by_name_and_with_consent(
    two: tuple[str, str], server: FakeServer, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = two
    change_record(server, old, verified=False)
    assert command("rollback", "staging", old) == 30
    assert "its tests FAILED" in command.out
    assert "Say so with --yes." in command.err
    assert told(server) == new
    on_a_terminal(monkeypatch, "y\n")
    assert command("rollback", "staging", old) == 0
    assert told(server) == old


def test_a_live_target_asks(two: tuple[str, str], server: FakeServer, command: Command, project: Project) -> None:
    old, new = two
    be_live(project)
    assert command("rollback", "staging") == 30
    assert "staging (LIVE)" in command.out
    assert told(server) == new
    assert command("rollback", "staging", "--yes") == 0
    assert told(server) == old


def test_where_only_the_server_knows_that_it_is_live_it_is_refused_as_a_deploy_is(
    two: tuple[str, str], server: FakeServer, command: Command
) -> None:
    (server.home / "deploy/superlists/target.json").write_text('{"app": "superlists", "live": true}')
    assert command("rollback", "staging", "--yes") == 30
    assert "is live for superlists, and this checkout does not say so." in command.err
    assert told(server) == two[1]


def test_the_one_that_serves_already_is_no_change(two: tuple[str, str], server: FakeServer, command: Command) -> None:
    assert command("rollback", "staging", two[1]) == 0
    assert "serves on staging already; nothing was changed." in command.out
    assert server.journal == []


@pytest.mark.usefixtures("two")
def test_a_release_that_nobody_knows_is_a_sentence(command: Command) -> None:
    assert command("rollback", "staging", "20990101-000000-abcdef0") == 30
    assert "No release '20990101-000000-abcdef0' was ever deployed to staging." in command.err
    assert "pytest-deploy history staging" in command.err


def test_where_there_is_none_before_it_says_so(deployable: Project, server: FakeServer, command: Command) -> None:
    assert command("rollback", "staging") == 30
    assert "No release of superlists serves on staging." in command.err
    deploy(deployable, "one")
    assert command("rollback", "staging") == 30
    assert f"There is no release before {ids(server)[0]} on staging that could be gone back to." in command.err


def test_one_whose_image_or_settings_are_gone_is_a_sentence(
    two: tuple[str, str], server: FakeServer, command: Command
) -> None:
    old, _ = two
    (server.home / f"deploy/superlists/releases/{old}.env").unlink()
    assert command("rollback", "staging", old) == 30
    assert f"{old} can't be gone back to: its settings are gone." in command.err
    server.engine.remove(f"superlists-{old}")
    server.engine.remove_image(record(server, old)["image"])
    assert command("rollback", "staging", old) == 30
    assert f"{old} can't be gone back to: its image is gone." in command.err


def test_a_switch_that_waits_for_a_word_does_not_undo_it(
    two: tuple[str, str], server: FakeServer, command: Command
) -> None:
    file = server.home / "deploy/superlists/unconfirmed"
    file.write_text(f"99999999999 superlists-{two[1]}\n")
    assert command("rollback", "staging") == 0
    assert not file.exists()
    assert told(server) == two[0]


def test_a_site_that_had_died_is_brought_back(two: tuple[str, str], server: FakeServer, command: Command) -> None:
    old, new = two
    server.engine.stop(f"superlists-{new}")
    assert command("rollback", "staging") == 0, command.err
    assert told(server) == old
    assert running(server) == {f"superlists-{old}"}
    assert record(server, old)["rollbacks"][0]["instead_of"] == new


def test_the_taken_back_tree_can_be_deployed_again(
    two: tuple[str, str], server: FakeServer, command: Command, deployable: Project
) -> None:
    old, new = two
    assert command("rollback", "staging") == 0
    assert deployable.run("--deploy-to=staging").ret == 0
    assert told(server) not in {old, new}
    assert record(server, told(server))["image"] == record(server, new)["image"]


def test_without_a_proxy_the_port_goes_back(deployable: Project, server: FakeServer, command: Command) -> None:
    deployable.write("deploy.toml", PUBLISHED)
    deploy(deployable, "two")
    (new,) = ids(server)
    old = before(server, new)
    assert command("rollback", "staging") == 0, command.err
    assert running(server) == {f"superlists-{old}"}
    assert record(server, old)["rollbacks"][0]["instead_of"] == new
