"""The fake keeps what the Protocol promises, or tests on it would prove nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.server.base import Server
from deploy_plugin.testing import FakeServer


@pytest.fixture
def path(server: FakeServer) -> PurePosixPath:
    return PurePosixPath(server.home / "a folder" / "file")


def test_it_is_a_server(server: FakeServer) -> None:
    as_server: Server = server
    assert as_server.facts.home == PurePosixPath(server.home)
    assert as_server.facts.docker_access


def test_a_file_is_read_as_it_was_written_with_its_mode_and_counted(server: FakeServer, path: PurePosixPath) -> None:
    assert server.read(path) is None
    server.write(path, b"\0one\n", mode=0o640)
    assert server.read(path) == b"\0one\n"
    assert Path(path).stat().st_mode & 0o777 == 0o640
    assert server.bytes_sent == 5
    assert server.journal == ["change a folder", "change a folder/file"]


def test_reading_is_not_a_change(server: FakeServer, path: PurePosixPath) -> None:
    server.write(path, b"", mode=0o600)
    server.journal.clear()
    server.read(path)
    server.run("stat", path)
    assert server.journal == []


@pytest.mark.parametrize("change", ["chmod 644", "rm"])
def test_whatever_a_command_changes_is_in_the_journal(server: FakeServer, path: PurePosixPath, change: str) -> None:
    server.write(path, b"", mode=0o600)
    server.journal.clear()
    server.run(*change.split(), path)
    assert "change a folder/file" in server.journal


def test_a_file_that_can_not_be_written_is_a_sentence(server: FakeServer, path: PurePosixPath) -> None:
    (server.home / "a folder").write_text("in the way")
    with pytest.raises(StepFailed, match=r"file can't be written"):
        server.write(path, b"", mode=0o600)


def test_a_folder_can_not_be_read_as_a_file(server: FakeServer) -> None:
    with pytest.raises(StepFailed, match="can't be read"):
        server.read(PurePosixPath(server.home))


def test_half_a_file_is_never_left(server: FakeServer, path: PurePosixPath) -> None:
    server.write(path, b"old", mode=0o600)
    server.install("mv", "exit 1")
    with pytest.raises(StepFailed):
        server.write(path, b"new", mode=0o600)
    assert {one.name: one.read_bytes() for one in Path(path.parent).iterdir()} == {"file": b"old"}


@pytest.mark.parametrize("command", ["apt-get", "sudo", "docker", "systemctl"])
def test_no_command_reaches_this_machine(tmp_path: Path, command: str) -> None:
    server = FakeServer(tmp_path)
    assert server.run(command).exit_code == 127
    assert server.run("sh", "-c", f"command -v {command}").stdout == b""


def test_no_command_of_it_is_a_link_that_could_be_written_through(server: FakeServer) -> None:
    commands = list((server.home.parent / "commands").iterdir())
    assert commands
    assert not any(path.is_symlink() for path in commands)


def test_a_command_can_be_added_and_hears_its_input(server: FakeServer) -> None:
    server.install("twice", "cat; echo $1")
    assert server.run("twice", "b", stdin=b"a").text == "ab"


def test_after_a_reconnect_it_is_what_the_test_said(server: FakeServer) -> None:
    server.reconnected = replace(server.facts, user="harriet")
    server.reconnect()
    assert server.facts.user == "harriet"
    assert server.journal == ["reconnect"]
