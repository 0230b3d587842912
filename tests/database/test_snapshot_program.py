"""The program that copies a database: whole while others write, or not at all."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deploy_plugin.database import programs


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "db.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE pairs (one INTEGER, two INTEGER)")
    connection.executemany("INSERT INTO pairs VALUES (?, ?)", [(number, number) for number in range(1000)])
    connection.commit()
    connection.close()
    return path


def snapshot(database: Path, copy: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", programs.text("snapshot"), str(database), str(copy)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def pairs(path: Path) -> list[tuple[int, int]]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT one, two FROM pairs").fetchall()
    connection.close()
    return found


def test_the_copy_is_the_users_own_and_its_checksum_is_said(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    done = snapshot(database, copy)
    assert done.stdout.split() == [hashlib.sha256(copy.read_bytes()).hexdigest()]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert pairs(copy) == pairs(database)


def test_while_another_writes_it_holds_only_what_was_committed_and_all_of_it(database: Path, tmp_path: Path) -> None:
    stop, copy = threading.Event(), tmp_path / "copy.sqlite3"
    written: list[int] = []

    def write() -> None:
        connection = sqlite3.connect(database, timeout=60)
        while not stop.is_set():
            number = 1000 + len(written)
            connection.execute("INSERT INTO pairs VALUES (?, NULL)", [number])
            connection.execute("UPDATE pairs SET two = one WHERE two IS NULL")
            connection.commit()
            written.append(number)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not written:
            pass
        before = len(written)
        done = snapshot(database, copy)
    finally:
        stop.set()
        writer.join()
    assert done.returncode == 0, done.stderr
    found = pairs(copy)
    assert all(one == two for one, two in found)
    assert len(found) >= 1000 + before
    assert len(written) > before


def test_an_older_copy_is_replaced_and_what_a_killed_one_left(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    copy.write_bytes(b"old")
    (tmp_path / "copy.sqlite3.new").write_bytes(b"half")
    assert snapshot(database, copy).returncode == 0
    assert pairs(copy) == pairs(database)
    assert not (tmp_path / "copy.sqlite3.new").exists()


def test_a_database_that_is_damaged_is_refused_and_the_older_copy_stays(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    copy.write_bytes(b"old")
    content = bytearray(database.read_bytes())
    content[4096:8192] = b"\xff" * 4096
    database.write_bytes(content)
    done = snapshot(database, copy)
    assert done.returncode != 0
    assert "malformed" in done.stderr or "not whole" in done.stderr
    assert copy.read_bytes() == b"old"


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = snapshot(tmp_path / "db.sqlite3", tmp_path / "copy.sqlite3")
    assert "unable to open database file" in done.stderr
    assert list(tmp_path.iterdir()) == []
