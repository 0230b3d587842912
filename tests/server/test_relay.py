from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy_plugin.server import relay
from deploy_plugin.server.relay import Relay

Start = Callable[..., Relay]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "docker.sock"


@pytest.fixture
def start(path: Path) -> Iterator[Start]:
    with ExitStack() as started:

        def start(*argv: str) -> Relay:
            made = Relay(path, argv)
            started.callback(made.close)
            return made

        yield start


def call(path: Path) -> socket.socket:
    caller = socket.socket(socket.AF_UNIX)
    caller.settimeout(10)
    caller.connect(str(path))
    return caller


def everything(caller: socket.socket) -> bytes:
    return b"".join(iter(lambda: caller.recv(65536), b""))


def test_each_who_calls_speaks_to_a_process_of_its_own(start: Start, path: Path) -> None:
    start("cat")
    with call(path) as one, call(path) as other:
        one.sendall(b"one")
        other.sendall(b"other")
        assert (other.recv(10), one.recv(10)) == (b"other", b"one")


def test_the_end_of_what_is_said_reaches_either_side(start: Start, path: Path) -> None:
    start("sh", "-c", "cat; echo end")
    with call(path) as caller:
        caller.sendall(b"beginning, ")
        caller.shutdown(socket.SHUT_WR)
        assert everything(caller) == b"beginning, end\n"


def test_many_bytes_arrive_as_they_are(start: Start, path: Path) -> None:
    start("sha256sum")
    piece, many = os.urandom(1 << 20), 64
    with call(path) as caller:
        for _ in range(many):
            caller.sendall(piece)
        caller.shutdown(socket.SHUT_WR)
        assert everything(caller).decode().split()[0] == hashlib.sha256(piece * many).hexdigest()


def test_it_takes_the_place_of_a_socket_that_is_there(start: Start, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(path))
        start("echo", "hello")
        with call(path) as caller:
            assert everything(caller) == b"hello\n"


def test_what_the_command_complains_of_is_kept(start: Start, path: Path) -> None:
    started = start("sh", "-c", "echo permission denied, $PPID >&2; exit 1")
    for _ in range(2):
        with call(path) as caller:
            assert everything(caller) == b""
    assert started.said == "\n".join([f"permission denied, {os.getpid()}"] * 2)


def test_where_the_command_can_not_be_started_the_caller_is_hung_up_on(start: Start, path: Path) -> None:
    start("no-such-command")
    for _ in range(2):
        with call(path) as caller:
            assert everything(caller) == b""


@pytest.mark.parametrize("script", ["echo $$; cat", "trap '' TERM; echo $$; while :; do sleep 0.1; done"])
def test_closing_leaves_no_process_no_socket_and_no_thread(
    path: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "ENDING_TIMEOUT", 0.2)
    started = Relay(path, ["sh", "-c", script])
    with call(path) as caller:
        pid = int(caller.recv(10).split()[0])
        started.close()
        everything(caller)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert list(path.parent.iterdir()) == []
    assert not [thread for thread in threading.enumerate() if "relay" in thread.name]
