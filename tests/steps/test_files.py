"""The steps that keep files: env file, settings, record, database, volumes."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.containers import Containers
from deploy_plugin.database.migrations import Migrations
from deploy_plugin.errors import StepFailed
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.secret import Secret
from deploy_plugin.steps.database import EnsureDatabase
from deploy_plugin.steps.env_file import EnsureEnvFile
from deploy_plugin.steps.record import KeepRecord
from deploy_plugin.steps.release_settings import KeepSettings
from deploy_plugin.steps.volumes import EnsureVolumes
from deploy_plugin.testing import FakeServer
from tests.site import TARGET


@pytest.fixture
def env_file(server: FakeServer) -> PurePosixPath:
    """An env file that an earlier deploy made."""
    path = PurePosixPath(server.home / "deploy" / ".env")
    server.write(path, b"KEY=generated once\n", mode=0o600)
    return path


def mode(path: PurePosixPath) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def test_an_env_file_is_made_for_its_owner_only(server: FakeServer) -> None:
    path = PurePosixPath(server.home / "new" / ".env")
    step = EnsureEnvFile(path, {"B": Secret("2"), "A": Secret("1")})
    assert step.check(server) == ".env is missing"
    step.apply(server)
    assert Path(path).read_bytes() == b"A=1\nB=2\n"
    assert mode(path) == 0o600


def test_an_env_file_that_others_may_read_is_put_right_with_the_same_secrets(
    server: FakeServer, env_file: PurePosixPath
) -> None:
    Path(env_file).chmod(0o644)
    step = EnsureEnvFile(env_file, {"KEY": Secret("generated once")})
    assert step.check(server) == ".env has mode 0644, not 0600"
    step.apply(server)
    assert mode(env_file) == 0o600
    assert Path(env_file).read_bytes() == b"KEY=generated once\n"


def test_a_secret_that_is_missing_or_changed_is_named_and_never_shown(
    server: FakeServer, env_file: PurePosixPath
) -> None:
    lacks = EnsureEnvFile(env_file, {"KEY": Secret("generated once"), "MAIL": Secret("s3ntinel")})
    assert lacks.check(server) == ".env lacks MAIL"
    changed = EnsureEnvFile(env_file, {"KEY": Secret("s3ntinel")})
    assert changed.check(server) == "KEY has a new value"


def test_an_env_file_that_holds_more_than_is_wanted_is_right(server: FakeServer, env_file: PurePosixPath) -> None:
    assert EnsureEnvFile(env_file, {}).check(server) is None


def test_settings_of_a_release_are_for_its_owner_only_and_never_change(server: FakeServer) -> None:
    path = PurePosixPath(server.home / "releases" / "r1.env")
    KeepSettings(path, {"KEY": Secret("1"), "DEBUG": "0"}).apply(server)
    assert (Path(path).read_bytes(), mode(path)) == (b"DEBUG=0\nKEY=1\n", 0o600)
    assert KeepSettings(path, {"KEY": Secret("2")}).check(server) is None


def test_a_record_says_what_when_and_from_where_and_how_it_was_run(server: FakeServer, app: App) -> None:
    folder = AppFolder(server.facts.home, app.name)
    release = Release("r1", "1a2b3c4d", "superlists:abc")
    containers = Containers(app, TARGET, folder, (1, 1), release, {})
    step = KeepRecord(Migrations(containers))
    assert step.check(server) == "r1.json is missing"
    step.apply(server)
    record = json.loads(Path(folder.record("r1")).read_text())
    assert (record["release"], record["commit"], record["image"]) == ("r1", "1a2b3c4d", "superlists:abc")
    assert record["deployed"].endswith("+00:00")
    assert "@" in record["by"]
    assert record["verified"] is None
    assert record["app"] == {
        "port": 8888,
        "health": "/health",
        "manage": "manage.py",
        "database": "/data/db.sqlite3",
        "volumes": {},
    }


def test_a_record_that_can_not_be_understood_is_written_anew(server: FakeServer, app: App) -> None:
    folder = AppFolder(server.facts.home, app.name)
    server.write(folder.record("r1"), b"half a rec", mode=0o600)
    containers = Containers(app, TARGET, folder, (1, 1), Release("r1", "", "i"), {})
    step = KeepRecord(Migrations(containers))
    assert step.check(server) == "r1.json is missing"


@pytest.fixture
def database(server: FakeServer) -> PurePosixPath:
    return PurePosixPath(server.home / "deploy" / "data" / "db.sqlite3")


def test_a_database_has_a_folder_of_its_own_that_belongs_to_the_app(
    server: FakeServer, database: PurePosixPath
) -> None:
    step = EnsureDatabase(database, server.facts.app_user)
    assert step.check(server) == f"{database.parent} is missing"
    step.apply(server)
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in (Path(database), Path(database.parent))}
    assert owners == {server.facts.app_user}
    assert mode(database.parent) == 0o700


def test_a_database_that_is_there_is_never_touched(server: FakeServer, database: PurePosixPath) -> None:
    step = EnsureDatabase(database, server.facts.app_user)
    step.apply(server)
    Path(database).write_bytes(b"lists")
    before = server.tree()
    assert step.check(server) is None
    step.apply(server)
    assert server.tree() == before


def test_a_folder_without_its_database_is_said(server: FakeServer, database: PurePosixPath) -> None:
    step = EnsureDatabase(database, server.facts.app_user)
    step.apply(server)
    Path(database).unlink()
    assert step.check(server) == f"{database} is missing"


def test_a_database_of_somebody_else_is_said_with_both_owners(server: FakeServer, database: PurePosixPath) -> None:
    EnsureDatabase(database, server.facts.app_user).apply(server)
    uid, gid = server.facts.app_user
    reason = EnsureDatabase(database, (uid + 1, gid)).check(server)
    assert reason == f"{database.parent} belongs to {uid}:{gid}, not to {uid + 1}:{gid}"


def test_an_owner_that_can_not_be_put_right_is_a_sentence(server: FakeServer, database: PurePosixPath) -> None:
    server.install("id", "echo 1000")  # not root, so it may give nothing away
    uid, gid = server.facts.app_user
    with pytest.raises(StepFailed, match=r"is not right: .* belongs to") as caught:
        EnsureDatabase(database, (uid + 7, gid)).apply(server)
    assert "as root" in caught.value.hint


def in_the_way(server: FakeServer) -> Iterator[EnsureDatabase | EnsureVolumes | KeepSettings]:
    """Steps whose folder can't be made: a file has its name."""
    (server.home / "deploy").write_text("")
    folder = PurePosixPath(server.home / "deploy" / "superlists")
    yield EnsureDatabase(folder / "data" / "db", server.facts.app_user)
    yield EnsureVolumes([folder / "media"], server.facts.app_user)
    yield KeepSettings(folder / "r1.env", {})


def test_a_folder_that_can_not_be_made_is_a_sentence_with_what_the_server_said(server: FakeServer) -> None:
    for step in in_the_way(server):
        with pytest.raises(StepFailed, match="can't be") as caught:
            step.apply(server)
        assert "deploy" in caught.value.got


def test_volumes_that_are_missing_are_all_named_and_made_for_the_app(server: FakeServer) -> None:
    folders = [PurePosixPath(server.home / name) for name in ("media", "with space")]
    step = EnsureVolumes(folders, server.facts.app_user)
    assert step.check(server) == f"{folders[0]}, {folders[1]} is missing"
    Path(folders[0]).mkdir()
    assert step.check(server) == f"{folders[1]} is missing"
    step.apply(server)
    assert Path(folders[1]).stat().st_uid == server.facts.app_user[0]


def test_a_volume_that_can_not_be_made_is_a_sentence(server: FakeServer) -> None:
    (server.home / "file").write_text("in the way of a folder")
    with pytest.raises(StepFailed, match="volumes can't be made") as caught:
        EnsureVolumes([server.facts.home / "file" / "media"], (1000, 1000)).apply(server)
    assert caught.value.got
    assert "as root" in caught.value.hint
