"""Going back by hand, and what is told of it: on a server that is a folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import Any

import pytest

from deploy_plugin import past
from deploy_plugin.containers import IMAGE, RELEASE
from deploy_plugin.past import Past
from deploy_plugin.proxy import upstreams
from deploy_plugin.server.base import Answer
from deploy_plugin.testing import FakeServer
from tests.commands.conftest import Command
from tests.commands.test_restore import be_live, on_a_terminal
from tests.inner import DEPLOY_TOML, Project
from tests.site import Site, running

OLD, OLD_IMAGE = "20200101-000000-abcdef0", "superlists:000000000000"
PUBLISHED = DEPLOY_TOML.replace("port = 8888\n", 'port = 8888\nproxy = "none"\n')


def deploy(project: Project, text: str) -> None:
    project.write("app.py", f"print({text!r})\n")
    assert project.run("--deploy-to=staging").ret == 0


def record(server: FakeServer, release: str) -> dict[str, Any]:
    path = server.home / "deploy/superlists/releases" / f"{release}.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def change_record(server: FakeServer, release: str, **changes: object) -> None:
    path = server.home / "deploy/superlists/releases" / f"{release}.json"
    path.write_text(json.dumps({**record(server, release), **changes}))


def ids(server: FakeServer) -> list[str]:
    """The releases that were deployed, the oldest first."""
    return sorted(path.stem for path in (server.home / "deploy/superlists/releases").glob("*.json"))


def told(server: FakeServer) -> str:
    return (upstreams.told(server, "superlists") or "").removeprefix("superlists-")


def before(server: FakeServer, release: str) -> str:
    """Let there have been a release before: its image, its container, which was stopped, its settings, its record."""
    spec = server.engine.specs[f"superlists-{release}"]
    labels = {**spec.labels, RELEASE: OLD, IMAGE: OLD_IMAGE}
    server.engine.add_image(OLD_IMAGE)
    if spec.publish is None:
        server.engine.start(replace(spec, name=f"superlists-{OLD}", image=OLD_IMAGE, labels=labels))
        server.engine.stop(f"superlists-{OLD}")
    folder = server.home / "deploy/superlists/releases"
    shutil.copy(folder / f"{release}.env", folder / f"{OLD}.env")
    told = {"release": OLD, "image": OLD_IMAGE, "deployed": "2020-01-01T00:00:00+00:00"}
    (folder / f"{OLD}.json").write_text(json.dumps({**record(server, release), **told}))
    return OLD


@pytest.fixture
def two(deployable: Project, server: FakeServer) -> tuple[str, str]:
    """Two releases: the second serves, and the first was stopped, as its time is over."""
    deploy(deployable, "two")
    (new,) = ids(server)
    old = before(server, new)
    server.journal.clear()
    return old, new


# Rollback


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


# What the record says of its tests


@pytest.mark.parametrize(
    ("tests", "arguments", "verified"),
    [
        ("def test_infra(): pass\n", (), True),
        ("def test_infra(): pass\n", ("infra_tests",), None),
        ("import pytest\ndef test_infra(): pytest.skip()\n", (), None),
        ("def test_infra(missing): pass\n", (), None),
    ],
    ids=["passed", "only those of the server", "skipped", "an error in a fixture"],
)
def test_the_record_says_whether_the_tests_passed(
    deployable: Project, server: FakeServer, tests: str, arguments: tuple[str, ...], *, verified: bool | None
) -> None:
    deployable.write("infra_tests/test_infra.py", tests)
    deployable.run("--deploy-to=staging", *arguments)
    assert record(server, ids(server)[0])["verified"] is verified


def test_what_is_known_of_a_release_stays_until_tests_say_otherwise(deployable: Project, server: FakeServer) -> None:
    deployable.write(".dockerignore", "*_tests\n")
    deploy(deployable, "one")
    (release,) = ids(server)
    deployable.run("--deploy-to=staging", "infra_tests")
    assert record(server, release)["verified"] is True
    deployable.write("infra_tests/test_infra.py", "def test_infra(): assert False\n")
    deployable.run("--deploy-to=staging")
    assert record(server, release)["verified"] is False


def test_a_release_that_was_taken_back_says_so(two: tuple[str, str], deployable: Project, server: FakeServer) -> None:
    deployable.write("infra_tests/test_infra.py", "def test_infra(): assert False\n")
    deployable.write("app.py", "print('three')\n")
    deployable.run("--deploy-to=staging", "--deploy-on-failure=rollback")
    tried = record(server, ids(server)[-1])
    assert told(server) == two[1]
    assert tried["verified"] is False
    assert "@" in tried["taken_back"]["by"]


# History


def test_history_is_newest_first_with_rollbacks_among_the_deploys(
    two: tuple[str, str], server: FakeServer, command: Command
) -> None:
    old, new = two
    assert command("rollback", "staging") == 0
    server.journal.clear()
    assert command("history", "staging", "--json") == 0
    events = json.loads(command.out)
    assert [(one["what"], one["release"], one["serves"]) for one in events] == [
        ("rollback", old, True),
        ("deploy", new, False),
        ("deploy", old, True),
    ]
    assert events[0]["instead_of"] == new
    assert [one["verified"] for one in events] == [True, True, True]
    assert [one["gone"] for one in events] == [None, None, None]

    assert command("history", "staging") == 0
    lines = command.out.splitlines()
    assert lines[0].split()[3:5] == ["rollback", old]
    assert lines[0].endswith(f"verified  serves  in place of {new}")
    assert server.journal == []


def test_history_says_what_can_not_be_gone_back_to(two: tuple[str, str], server: FakeServer, command: Command) -> None:
    old, _ = two
    server.engine.remove(f"superlists-{old}")
    server.engine.remove_image(record(server, old)["image"])
    command("history", "staging")
    assert command.out.splitlines()[1].endswith("its image is gone")


@pytest.mark.usefixtures("deployable")
def test_where_nothing_was_deployed_history_says_so(command: Command) -> None:
    assert command("history", "staging") == 0
    assert command.out == "No release of superlists was ever deployed there.\n"


# Which one is the one before


def of(release: str, *, verified: bool | None = True, gone: str = "") -> Past:
    return Past({"release": release, "verified": verified}, gone)


@pytest.mark.parametrize(
    ("newest_first", "chosen"),
    [
        ([of("4"), of("3"), of("2"), of("1")], "2"),
        ([of("3"), of("2", verified=False), of("1")], "1"),
        ([of("3"), of("2", verified=None), of("1")], "1"),
        ([of("3"), of("2", verified=None), of("1", verified=None)], "2"),
        ([of("3"), of("2", verified=False), of("1", verified=None)], "1"),
        ([of("3"), of("2", verified=False), of("1", gone="its image is gone")], "2"),
        ([of("3"), of("2", gone="its image is gone")], None),
        ([of("4"), of("3")], None),
    ],
)
def test_the_one_before_is_the_newest_older_one_that_passed_its_tests(
    newest_first: list[Past], chosen: str | None
) -> None:
    found = past.before(newest_first, "3")
    assert (found and found.id) == chosen
