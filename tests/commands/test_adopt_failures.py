"""A takeover that fails on the way: the old site serves again, or the server is to be looked at."""

from __future__ import annotations

import pytest

from deploy_plugin.adoption import mark
from deploy_plugin.errors import StepFailed
from deploy_plugin.testing import FakeServer
from tests.commands.command import Command
from tests.commands.elsewhere import DOCKER, asked, folder, is_as_it_was, refused
from tests.site import Site


def test_a_database_that_can_not_be_copied_is_left(command: Command, old: FakeServer) -> None:
    old.install("docker", '[ "$1 $3" != "exec python" ] || { echo "database disk image is malformed" >&2; exit 1; }')
    said = refused(command, old)
    assert "No snapshot of superlists's database could be taken, so nothing was changed." in said
    assert "database disk image is malformed" in said


def test_a_database_that_can_not_be_taken_out_puts_the_old_one_back(command: Command, old: FakeServer) -> None:
    docker = DOCKER.format(log=old.home.parent / "log")
    old.install("docker", f'{docker}\n[ "$1" != cp ] || {{ echo "no space left on device" >&2; exit 1; }}')
    assert command("adopt", "staging", "--yes") == 30
    assert "The database can't be copied out of superlists." in command.err
    assert asked(old)[-1] == "start superlists"


def test_one_that_does_not_run_as_ours_do_is_found_out_on_a_copy(command: Command, old: FakeServer) -> None:
    old.engine.dies("*-candidate", log="read-only file system")
    said = refused(command, old)
    assert "does not run as a release of ours." in said
    assert "read-only file system" in said
    assert is_as_it_was(old)
    assert "start superlists" not in " ".join(asked(old))  # it was never stopped


def test_one_that_answers_in_another_way_on_a_copy_is_left(command: Command, old: FakeServer, site: Site) -> None:
    old.engine.site = lambda spec, *_: 200 if spec.name == "superlists" else 500
    assert "does not answer as superlists does, which says 200. /health answers 500." in refused(command, old)
    old.engine.site = site.answer
    site.wrong_copy = True
    assert "As a release of ours superlists would use" in refused(command, old)
    assert is_as_it_was(old)


@pytest.mark.parametrize("call", ["stop superlists", "run_once *-compare"])
def test_whatever_fails_the_old_one_is_put_back(command: Command, old: FakeServer, call: str) -> None:
    old.engine.fail(call, StepFailed("Docker could not do it."))
    assert command("adopt", "staging", "--yes") == 30
    log = asked(old)
    assert log[-1] == "start superlists"
    assert log[-2].startswith("rm -f superlists-")
    assert not (folder(old) / "data" / "db.sqlite3").exists()
    assert not [*folder(old).glob("adopting*"), *(folder(old) / "releases").iterdir()]


def test_rows_that_differ_put_the_old_one_back(command: Command, old: FakeServer, site: Site) -> None:
    site.difference = {"lists_item": (0, 1)}
    assert command("adopt", "staging", "--yes") == 30
    assert "The database that was moved is not the one that was there." in command.err
    assert asked(old)[-1] == "start superlists"


def test_one_that_docker_does_not_start_puts_the_old_one_back(command: Command, old: FakeServer) -> None:
    old.engine.fail("start_again *-adopted", StepFailed("port 80 is already allocated"))
    assert command("adopt", "staging", "--yes") == 30
    assert asked(old)[-1] == "start superlists"


def test_one_that_has_the_data_and_does_not_answer_is_exit_31(command: Command, old: FakeServer) -> None:
    old.engine.site = lambda spec, *_: 500 if spec.name.endswith("-adopted") else 200
    assert command("adopt", "staging", "--yes") == 31
    assert "has the data now, and does not answer as superlists did." in command.err
    assert "start superlists" not in asked(old)  # what was written since is not in its database


def test_a_takeover_that_can_not_be_ended_is_exit_31(command: Command, old: FakeServer) -> None:
    left = folder(old) / "adopting"
    left.parent.mkdir(parents=True)
    left.write_text("superlists\nnew\n/nowhere/db.sqlite3\n/nowhere/new.json\n")
    old.install("docker", "exit 1")
    assert command("adopt", "staging", "--yes") == 31
    assert "A takeover was begun here and can't be ended" in command.err


def test_one_that_was_killed_is_ended_by_the_next(command: Command, old: FakeServer) -> None:
    left = folder(old) / "adopting"
    left.parent.mkdir(parents=True)
    left.write_text(f"superlists\nsuperlists-killed\n{folder(old)}/data/db.sqlite3\n{folder(old)}/releases/k.json\n")
    assert command("adopt", "staging", "--yes") == 0
    assert asked(old)[:2] == ["rm -f superlists-killed", "start superlists"]
    assert (folder(old) / "data" / "db.sqlite3").read_bytes() == b"old rows"


def test_a_server_that_put_the_old_one_back_by_itself_is_believed(
    command: Command, old: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mark, "_DONE", "exit 1")
    assert command("adopt", "staging", "--yes") == 30
    assert "The server put the old container back meanwhile." in command.err
    assert not (folder(old) / "data" / "db.sqlite3").exists()
