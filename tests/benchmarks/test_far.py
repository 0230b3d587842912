"""The long way to a server, which only the benchmark has to go."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from benchmarks import far
from tests.children import child

DELAY = "0.05"


@pytest.fixture
def port() -> Iterator[int]:
    """Give the port at which a server is far that says what it is told."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        echo = threading.Thread(target=_echo, args=(server,))
        echo.start()
        argv = (sys.executable, "-m", "benchmarks.far", "127.0.0.1", str(server.getsockname()[1]), DELAY)
        with child(argv) as relay:
            assert relay.stdout
            yield int(relay.stdout.readline())
        echo.join()


def _echo(server: socket.socket) -> None:
    with server.accept()[0] as connection:
        while piece := connection.recv(1 << 16):
            connection.sendall(piece)


def test_what_is_said_arrives_whole_to_its_end(port: int) -> None:
    sent = bytes(range(256)) * 40_000
    got = bytearray()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        saying = threading.Thread(target=_say, args=(connection, sent))
        saying.start()
        while piece := connection.recv(1 << 16):
            got += piece
        saying.join()
    assert bytes(got) == sent


def _say(connection: socket.socket, what: bytes) -> None:
    connection.sendall(what)
    connection.shutdown(socket.SHUT_WR)


def test_each_piece_is_due_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    async def leave() -> tuple[float, float, bytes]:
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 7.0)
        reader, under_way = asyncio.StreamReader(), asyncio.Queue[tuple[float, bytes]]()
        reader.feed_data(b"piece")
        reader.feed_eof()
        await far._leave(reader, under_way, 0.5)  # noqa: SLF001 - what it does with the time is seen nowhere else
        first, last = under_way.get_nowait(), under_way.get_nowait()
        return first[0], last[0], first[1] + last[1]

    assert asyncio.run(leave()) == (7.5, 7.5, b"piece")
