"""The programs that tell a copy from a database, and put it in its place, on real databases."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from deploy_plugin.database import programs


def make(path: Path, *statements: str, wal: bool = False) -> Path:
    connection = sqlite3.connect(path)
    if wal:
        connection.execute("PRAGMA journal_mode=WAL")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def run(program: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", programs.text(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def texts(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    found = [row[0] for row in connection.execute("SELECT text FROM items ORDER BY id")]
    connection.close()
    return found


ITEMS = "CREATE TABLE items (id INTEGER PRIMARY KEY, text TEXT)"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return make(tmp_path / "copy", ITEMS, "INSERT INTO items (text) VALUES ('milk'), ('bread')")


# Compare


def compared(database: Path, copy: Path) -> dict[str, list[int]]:
    done = run("compare", database, copy)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[int]] = json.loads(done.stdout.removeprefix(programs.MARK))
    return found


def test_the_same_rows_are_no_difference(copy: Path, tmp_path: Path) -> None:
    assert compared(make(tmp_path / "db", ITEMS, "INSERT INTO items VALUES (1, 'milk'), (2, 'bread')"), copy) == {}


def test_rows_that_were_added_changed_and_removed_are_counted(copy: Path, tmp_path: Path) -> None:
    rows = "INSERT INTO items VALUES (1, 'oat milk'), (3, 'salt'), (4, 'oil')"
    assert compared(make(tmp_path / "db", ITEMS, rows), copy) == {"items": [3, 2]}


def test_tables_and_columns_that_only_one_has(copy: Path, tmp_path: Path) -> None:
    items = "CREATE TABLE items (id INTEGER PRIMARY KEY, text TEXT, rank INTEGER)"
    rows = "INSERT INTO items VALUES (1, 'milk', 7), (2, 'bread', 7)"
    database = make(tmp_path / "db", items, rows, 'CREATE TABLE "a ""b" (id)', 'INSERT INTO "a ""b" VALUES (1)')
    assert compared(database, copy) == {'a "b': [1, 0]}


def test_an_empty_file_has_nothing_to_lose(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "db").touch()
    assert compared(tmp_path / "db", copy) == {"items": [0, 2]}
    assert compared(copy, tmp_path / "db") == {"items": [2, 0]}


def test_what_is_no_database_is_an_error(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"x" * 4096)
    done = run("compare", tmp_path / "db", copy)
    assert done.returncode != 0
    assert "file is not a database" in done.stderr


# Replace


@pytest.mark.parametrize("wal", [True, False])
def test_the_copy_takes_its_place_with_mode_and_journal(copy: Path, tmp_path: Path, *, wal: bool) -> None:
    database = make(tmp_path / "db", ITEMS, wal=wal)
    database.chmod(0o640)
    done = run("replace", copy, database)
    assert done.returncode == 0, done.stderr
    assert texts(database) == ["milk", "bread"]
    assert database.stat().st_mode & 0o777 == 0o640
    connection = sqlite3.connect(database)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal" if wal else "delete",)
    connection.close()


def test_what_lies_beside_the_old_one_is_not_taken_for_its_own(copy: Path, tmp_path: Path) -> None:
    database = make(tmp_path / "db", ITEMS, wal=True)
    writer = sqlite3.connect(database)
    writer.execute("INSERT INTO items (text) VALUES ('written later')")
    writer.commit()
    left = {name: (tmp_path / name).read_bytes() for name in ("db-wal", "db-shm")}
    writer.close()
    for name, content in left.items():
        (tmp_path / name).write_bytes(content)  # as a killed app leaves them
    assert run("replace", copy, database).returncode == 0
    assert texts(database) == ["milk", "bread"]


def test_a_place_where_nothing_was_gets_it_for_the_user_only(copy: Path, tmp_path: Path) -> None:
    assert run("replace", copy, tmp_path / "db").returncode == 0
    assert texts(tmp_path / "db") == ["milk", "bread"]
    assert (tmp_path / "db").stat().st_mode & 0o777 == 0o600


def test_a_copy_that_is_damaged_takes_no_place(copy: Path, tmp_path: Path) -> None:
    database = make(tmp_path / "db", ITEMS, "INSERT INTO items (text) VALUES ('mine')")
    content = bytearray(copy.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    copy.write_bytes(content)
    assert run("replace", copy, database).returncode != 0
    assert texts(database) == ["mine"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "db"]
