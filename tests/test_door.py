"""The door: what goes through it is for the site, and comes from the site."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deploy_plugin.door import Door

SITE = "https://www.example.com"


class Release(ThreadingHTTPServer):
    """Remembers what it was asked, and answers with it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, str]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Release

    def do_GET(self) -> None:
        self._answer(b"page")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
        self.server.asked.append(dict(self.headers.items()))
        self.send_response(302 if self.path == "/old" else 200)
        if self.path == "/old":
            self.send_header("Location", f"{SITE}/new")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def release() -> Iterator[Release]:
    with Release() as release:
        threading.Thread(target=release.serve_forever, daemon=True).start()
        yield release
        release.shutdown()


@pytest.fixture
def open_door() -> Iterator[Callable[[Callable[[], socket.socket]], Door]]:
    doors: list[Door] = []

    def open_one(dial: Callable[[], socket.socket]) -> Door:
        doors.append(Door(dial, SITE))
        return doors[-1]

    yield open_one
    for door in doors:
        door.close()


@pytest.fixture
def door(release: Release, open_door: Callable[[Callable[[], socket.socket]], Door]) -> Door:
    host, port = release.server_address[:2]
    return open_door(lambda: socket.create_connection((str(host), port)))


def test_the_release_is_asked_as_a_visitor_would_ask_it(door: Door, release: Release) -> None:
    headers = {"Origin": door.url, "Referer": f"{door.url}/lists/"}
    asked = urllib.request.Request(f"{door.url}/", b"text=milk", headers)  # noqa: S310 - a loopback address
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        assert answer.read() == b"text=milk"
    (seen,) = release.asked
    assert (seen["Host"], seen["Origin"], seen["Referer"]) == ("www.example.com", SITE, f"{SITE}/lists/")
    assert (seen["X-Forwarded-Proto"], seen["X-Forwarded-For"]) == ("https", "127.0.0.1")


def test_who_asks_is_sent_elsewhere_on_this_side_of_the_door(door: Door, release: Release) -> None:
    with urllib.request.urlopen(f"{door.url}/old", timeout=10) as answer:  # noqa: S310 - a loopback address
        assert answer.url == f"{door.url}/new"
    assert [seen["Host"] for seen in release.asked] == ["www.example.com", "www.example.com"]


def test_what_is_sent_may_be_big_and_comes_whole(door: Door, release: Release) -> None:
    body = b"x" * 3_000_000
    with urllib.request.urlopen(door.url, body, timeout=30) as answer:  # noqa: S310 - a loopback address
        assert answer.read() == body
    assert len(release.asked) == 1


def test_a_connection_is_one_request(door: Door, release: Release) -> None:
    connection = HTTPConnection("127.0.0.1", int(door.url.rpartition(":")[2]), timeout=10)
    for _ in range(2):  # the second one connects anew
        connection.request("GET", "/", headers={"Connection": "keep-alive"})
        answer = connection.getresponse()
        assert answer.read() == b"page"
    assert [seen["Connection"] for seen in release.asked] == ["close", "close"]


def test_where_nobody_answers_the_caller_is_hung_up_on(
    open_door: Callable[[Callable[[], socket.socket]], Door],
) -> None:
    def dial() -> socket.socket:
        raise ConnectionRefusedError

    with pytest.raises(OSError, match=r"Remote end closed|reset"):
        urllib.request.urlopen(open_door(dial).url, timeout=10)  # noqa: S310 - a loopback address


def test_a_closed_door_lets_nobody_in(door: Door, release: Release) -> None:
    door.close()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(door.url, timeout=10)  # noqa: S310 - a loopback address
    assert release.asked == []
