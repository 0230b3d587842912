"""A command with our own streams, on every kind of server."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy_plugin.errors import StepFailed, Unreachable
from deploy_plugin.server.machine import LocalServer
from deploy_plugin.server.ssh import SshServer
from deploy_plugin.server.ssh_config import write_run_config
from deploy_plugin.testing import FakeServer

HELLO = "echo out; echo err >&2; exit 3"
# The first is the connection itself, which runs a shell; -O asks whether it is still there.
SSH = """#!/bin/sh
case "$*" in
    *"-- sh") exec sh ;;
    *"-O check"*) exit {alive} ;;
    *) echo "$@"; exit {exit_code} ;;
esac
"""


def ssh(folder: Path, monkeypatch: pytest.MonkeyPatch, *, alive: int, exit_code: int) -> SshServer:
    command = folder / "bin" / "ssh"
    command.parent.mkdir()
    command.write_text(SSH.format(alive=alive, exit_code=exit_code))
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent), prepend=":")
    write_run_config(folder, user_config=None, identity_file=None)
    return SshServer("elspeth@example.com", folder)


@pytest.mark.parametrize("terminal", [True, False])
def test_ssh_gets_a_terminal_only_where_there_is_one_and_gives_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *, terminal: bool
) -> None:
    with ssh(tmp_path, monkeypatch, alive=0, exit_code=7) as server:
        assert server.attach("printf", "a b", terminal=terminal) == 7
    said = capfd.readouterr().out
    assert said.endswith("elspeth@example.com -- printf 'a b'\n")
    assert (" -t " in said) == terminal


def test_a_command_s_own_255_is_an_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ssh(tmp_path, monkeypatch, alive=0, exit_code=255) as server:
        assert server.attach("false") == 255


def test_a_connection_that_broke_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        ssh(tmp_path, monkeypatch, alive=255, exit_code=255) as server,
        pytest.raises(Unreachable, match=r"The connection to elspeth@example.com broke\."),
    ):
        server.attach("false")


def test_this_machine_s_streams_are_ours_anyway(capfd: pytest.CaptureFixture[str]) -> None:
    assert LocalServer().attach("sh", "-c", HELLO) == 3
    assert capfd.readouterr() == ("out\n", "err\n")
    with pytest.raises(StepFailed, match="There is no no-such-command command"):
        LocalServer().attach("no-such-command")


def test_a_fake_server_prints_what_the_command_said(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert server.attach("sh", "-c", HELLO) == 3
    assert capsys.readouterr() == ("out\n", "err\n")
