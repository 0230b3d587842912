"""Snapshots on the server: listed with their checksums, found by name, pruned."""

from __future__ import annotations

import hashlib
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.database import kept
from deploy_plugin.errors import StepFailed
from deploy_plugin.models import AppFolder
from deploy_plugin.testing import FakeServer


@pytest.fixture
def folder(server: FakeServer) -> AppFolder:
    server.install("sha256sum", f'exec {shutil.which("sha256sum")} "$@"')
    folder = AppFolder(PurePosixPath(server.home), "superlists")
    Path(folder.snapshots).mkdir(parents=True)
    return folder


def keep(folder: AppFolder, name: str, *, days: float = 0) -> Path:
    path = Path(folder.snapshots) / f"db-{name}.sqlite3"
    path.write_bytes(name.encode())
    path.with_name(f"{path.name}.sha256").write_text(f"{hashlib.sha256(name.encode()).hexdigest()}  {path.name}\n")
    seconds = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(path, (seconds, seconds))
    return path


def test_they_are_listed_newest_first(server: FakeServer, folder: AppFolder) -> None:
    keep(folder, "one", days=2)
    keep(folder, "two", days=1)
    found = kept.listing(server, folder)
    assert [(one.name, one.before, one.size, one.whole) for one in found] == [
        ("db-two.sqlite3", "two", 3, True),
        ("db-one.sqlite3", "one", 3, True),
    ]
    assert found[0].taken - found[1].taken > timedelta(hours=23)


def test_where_none_was_ever_taken_there_are_none(server: FakeServer) -> None:
    assert kept.listing(server, AppFolder(PurePosixPath(server.home), "another")) == []


def test_one_that_is_damaged_or_has_no_checksum_is_told_and_not_given(server: FakeServer, folder: AppFolder) -> None:
    keep(folder, "one").write_bytes(b"eno")
    keep(folder, "two").with_name("db-two.sqlite3.sha256").unlink()
    assert [one.whole for one in kept.listing(server, folder)] == [False, False]
    for name in ("one", "two"):
        with pytest.raises(StepFailed, match="is not what its checksum says: it is damaged"):
            kept.find(server, folder, name)


@pytest.mark.parametrize("name", ["one", "db-one.sqlite3"])
def test_one_is_found_by_its_name_or_its_release(server: FakeServer, folder: AppFolder, name: str) -> None:
    keep(folder, "one")
    assert kept.find(server, folder, name).name == "db-one.sqlite3"


def test_one_that_is_not_there_names_those_that_are(server: FakeServer, folder: AppFolder) -> None:
    keep(folder, "one")
    with pytest.raises(StepFailed, match="no snapshot 'other'") as caught:
        kept.find(server, folder, "other")
    assert caught.value.hint == "Snapshots there: db-one.sqlite3."


def test_a_folder_that_can_not_be_read_is_an_error(server: FakeServer, folder: AppFolder) -> None:
    keep(folder, "one")
    server.install("stat", "exit 1")
    server.install("sha256sum", "exit 0")
    with pytest.raises((StepFailed, ValueError)):
        kept.listing(server, folder)


def test_the_newest_stay_and_the_last_of_each_day_of_a_week(server: FakeServer, folder: AppFolder) -> None:
    for number in range(6):
        keep(folder, f"today-{number}", days=number / 1000)
    for day in range(1, 10):
        keep(folder, f"day-{day}", days=day)
        keep(folder, f"day-{day}-earlier", days=day + 0.001)
    gone = kept.prune(server, folder)
    left = {one.before for one in kept.listing(server, folder)}
    assert {f"today-{number}" for number in range(5)} <= left
    assert {f"day-{day}" for day in range(2, 7)} <= left
    assert {"day-8", "day-8-earlier", "day-9"}.isdisjoint(left)
    assert {f"db-{name}.sqlite3" for name in left}.isdisjoint(gone)
    assert len(list(Path(folder.snapshots).iterdir())) == 2 * len(left)


def test_a_few_are_all_kept_whatever_their_age(server: FakeServer, folder: AppFolder) -> None:
    for day in range(5):
        keep(folder, f"old-{day}", days=100 + day)
    assert kept.prune(server, folder) == []
