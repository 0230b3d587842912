from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.testing import FakeServer
from tests.commands.command import Command, be_live, on_a_terminal
from tests.inner import DEPLOY_TOML, Project
from tests.site import Site, running


@pytest.fixture
def folder(deployed: FakeServer) -> Path:
    """The app's folder, with a snapshot; the database has more."""
    deployed.install("sha256sum", f'exec {shutil.which("sha256sum")} "$@"')
    folder = deployed.home / "deploy" / "superlists"
    (folder / "snapshots").mkdir()
    keep(folder, "db-old.sqlite3", b"old rows")
    (folder / "data/db.sqlite3").write_bytes(b"new rows")
    return folder


@pytest.fixture
def site(site: Site) -> Site:
    site.difference = {"lists_item": (3, 1)}
    return site


def keep(folder: Path, name: str, content: bytes) -> None:
    path = folder / "snapshots" / name
    path.write_bytes(content)
    path.with_name(f"{name}.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  {name}\n")


def database(folder: Path) -> bytes:
    return (folder / "data/db.sqlite3").read_bytes()


def others(folder: Path) -> list[Path]:
    """The snapshots that were taken since."""
    return [path for path in (folder / "snapshots").glob("*.sqlite3") if path.name != "db-old.sqlite3"]


# Snapshots


def test_snapshots_are_listed(folder: Path, command: Command) -> None:
    assert command("snapshots", "staging", "list") == 0
    assert command.out.split()[0] == "db-old.sqlite3"
    assert command.out.rstrip().endswith("UTC  8 bytes")
    command("snapshots", "staging", "list", "--json")
    (one,) = json.loads(command.out)
    assert (one["name"], one["before"], one["size"], one["whole"]) == ("db-old.sqlite3", "old", 8, True)
    assert folder.is_dir()


def test_one_that_is_damaged_is_told_by_exit_30(folder: Path, command: Command) -> None:
    (folder / "snapshots/db-old.sqlite3").write_bytes(b"bad rows")
    assert command("snapshots", "staging", "list") == 30
    assert "DAMAGED" in command.out


@pytest.mark.usefixtures("deployed")
def test_none_are_said_to_be_none(command: Command) -> None:
    assert command("snapshots", "staging", "list") == 0
    assert command.out == "No snapshot of superlists is kept.\n"


@pytest.mark.usefixtures("folder")
def test_one_is_pulled_for_its_user_only(project: Project, command: Command) -> None:
    assert command("snapshots", "staging", "pull", "old") == 0
    here = project.pytester.path / "db-old.sqlite3"
    assert here.read_bytes() == b"old rows"
    assert here.stat().st_mode & 0o777 == 0o600
    assert command.out == "db-old.sqlite3: 8 bytes, as its checksum says.\n"

    assert command("snapshots", "staging", "pull", "old") == 4
    assert "is here already" in command.err
    assert command("snapshots", "staging", "pull", "old", "--to=other") == 0


@pytest.mark.usefixtures("folder")
def test_one_that_does_not_arrive_whole_is_not_kept(
    project: Project, command: Command, deployed: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = deployed.read
    monkeypatch.setattr(deployed, "read", lambda path: b"half" if path.suffix == ".sqlite3" else read(path))
    assert command("snapshots", "staging", "pull", "old") == 30
    assert "did not arrive as it is there" in command.err
    assert not (project.pytester.path / "db-old.sqlite3").exists()


# Restore


@pytest.mark.usefixtures("site")
def test_a_snapshot_takes_the_place_of_the_database_which_is_kept(
    folder: Path, command: Command, deployed: FakeServer
) -> None:
    before = running(deployed)
    deployed.journal.clear()

    assert command("restore", "staging", "old", "--yes") == 0

    assert database(folder) == b"old rows"
    (kept,) = others(folder)
    assert kept.read_bytes() == b"new rows"
    assert kept.name.endswith("-restore.sqlite3")
    assert "lists_item: 3 rows would go, 1 would come" in command.out
    assert f"What was there before is kept: {kept.name}" in command.out
    (name,) = before
    assert [line for line in deployed.journal if "change" not in line] == [f"stop {name}", f"start_again {name}"]
    assert running(deployed) == before
    assert not (folder / "rehearsal").exists()


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("YES\n", 0), ("n\n", 30), ("\n", 30), ("", 30)])
def test_on_a_terminal_it_asks(
    folder: Path, command: Command, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    on_a_terminal(monkeypatch, answer)
    assert command("restore", "staging", "old") == code
    assert "Do it? [y/N]" in command.err
    assert database(folder) == (b"old rows" if code == 0 else b"new rows")


@pytest.mark.usefixtures("site")
def test_where_nobody_can_be_asked_it_wants_yes(folder: Path, command: Command, deployed: FakeServer) -> None:
    deployed.journal.clear()
    assert command("restore", "staging", "old") == 30
    assert "Say so with --yes." in command.err
    assert database(folder) == b"new rows"
    assert not [line for line in deployed.journal if line.startswith("stop")]
    assert others(folder) == []


def test_where_no_row_would_go_only_a_live_target_asks(
    folder: Path, command: Command, site: Site, project: Project
) -> None:
    site.difference = {"lists_item": (0, 1)}
    be_live(project)
    assert command("restore", "staging", "old") == 30
    assert "(LIVE)" in command.out
    project.write("deploy.toml", DEPLOY_TOML)
    (folder / "target.json").unlink()
    assert command("restore", "staging", "old") == 0


def test_a_snapshot_gets_the_migrations_that_it_lacks(folder: Path, command: Command, site: Site) -> None:
    site.rehearsal = {"error": {"migration": "x", "kind": "OperationalError", "message": "no such table", "place": ""}}
    assert command("restore", "staging", "old", "--yes") == 30
    assert "can't bring its schema to the snapshot, so nothing was changed." in command.err
    assert "OperationalError: no such table" in command.err
    assert database(folder) == b"new rows"


@pytest.mark.usefixtures("site")
def test_a_database_that_can_not_be_read_is_kept_as_it_is(
    folder: Path, command: Command, deployed: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.install("cp", f'exec {shutil.which("cp")} "$@"')
    (folder / "data/db.sqlite3-wal").write_bytes(b"journal")
    run_once, engine = deployed.engine.run_once, deployed.engine

    def broken(spec, *, limit=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - as run_once
        done = run_once(spec, limit=limit)
        reads_it = folder / "data" in [Path(path) for path in spec.mounts] and not spec.name.endswith("-replace")
        return type(done)(1, "", "Traceback\nfile is not a database\n") if reads_it else done

    monkeypatch.setattr(engine, "run_once", broken)
    assert command("restore", "staging", "old", "--yes") == 0
    assert "nobody knows which rows would go: file is not a database" in command.out
    assert database(folder) == b"old rows"
    assert [path.read_bytes() for path in others(folder)] == [b"new rows"]
    assert [path.read_bytes() for path in (folder / "snapshots").glob("*-wal")] == [b"journal"]


@pytest.mark.usefixtures("site")
def test_whatever_fails_the_site_is_started_again(folder: Path, command: Command, deployed: FakeServer) -> None:
    before = running(deployed)
    deployed.engine.fail("run_once *-replace", StepFailed("Docker went away."))
    assert command("restore", "staging", "old", "--yes") == 30
    assert running(deployed) == before
    assert database(folder) == b"new rows"


@pytest.mark.usefixtures("site")
def test_a_site_that_had_died_is_started_with_it(folder: Path, command: Command, deployed: FakeServer) -> None:
    (name,) = running(deployed)
    deployed.engine.stop(name)
    assert command("restore", "staging", "old", "--yes") == 0
    assert running(deployed) == {name}
    assert database(folder) == b"old rows"


@pytest.mark.usefixtures("deployable")
def test_where_nothing_was_deployed_there_is_nothing_to_restore(command: Command) -> None:
    assert command("restore", "staging", "old") == 30
    assert "No release of superlists serves on staging." in command.err


@pytest.mark.usefixtures("deployed")
def test_an_app_without_a_database_has_none_to_restore(project: Project, command: Command) -> None:
    project.write("deploy.toml", DEPLOY_TOML.partition("[database]")[0] + DEPLOY_TOML[DEPLOY_TOML.index("[targets") :])
    assert command("restore", "staging", "old") == 4
    assert "superlists has no database of which deploy.toml knows." in command.err


# reset-db


@pytest.mark.usefixtures("site")
def test_a_database_is_emptied_and_what_was_there_is_kept(folder: Path, command: Command) -> None:
    assert command("reset-db", "staging", "--yes") == 0
    assert database(folder) == b""
    (kept,) = others(folder)
    assert kept.name.endswith("-reset-db.sqlite3")
    assert kept.read_bytes() == b"new rows"
    assert "an empty database in place of the database on staging:" in command.out


@pytest.mark.parametrize("only_there", [True, False])
def test_a_live_target_is_never_emptied(folder: Path, command: Command, project: Project, *, only_there: bool) -> None:
    if only_there:
        (folder / "target.json").write_text('{"app": "superlists", "live": true}')
    else:
        be_live(project)
    assert command("reset-db", "staging", "--yes") == 30
    assert "is live: its database is never emptied." in command.err
    assert database(folder) == b"new rows"
