"""A way to a release that visitors can't reach yet: an address of this machine, for this run's tests.

The release is asked as a visitor would ask it: Host, Origin and Referer name the site. A request is a connection.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

_LONGEST = 1 << 16
"""Bytes that the lines before a body may have."""
_PIECE = 1 << 16
_END = b"\r\n\r\n"


class Door:
    """Listens on a free port of 127.0.0.1 until it is closed."""

    def __init__(self, dial: Callable[[], socket.socket], site: str) -> None:
        """``dial`` connects to the release, OSError where it does not answer; ``site`` is the URL that visitors use."""
        self._dial = dial
        self._site = site
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        Thread(target=self._serve, name="door", daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more; who is in goes on."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # closing it alone would not wake who waits
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                caller, _ = self._listening.accept()
                Thread(target=self._answer, args=(caller,), name="door", daemon=True).start()

    def _answer(self, caller: socket.socket) -> None:
        with suppress(OSError), caller:
            asked, body = _head(caller)
            if not asked:
                return
            with self._dial() as release:
                release.sendall(self._as_a_visitor(asked) + body)
                Thread(target=_pass_on, args=(caller, release), name="door", daemon=True).start()
                said, body = _head(release)
                caller.sendall(self._as_from_here(said) + body)
                _pass_on(release, caller)
                caller.shutdown(socket.SHUT_RD)  # wakes who waits for more of the request

    def _as_a_visitor(self, head: bytes) -> bytes:
        scheme, _, host = self._site.partition("://")
        head = _replaced(head, b"Host", self.url.partition("://")[2], host)
        for name in (b"Origin", b"Referer"):
            head = _replaced(head, name, self.url, self._site)
        added = f"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: {scheme}\r\nX-Forwarded-Host: {host}\r\n".encode()
        head = head.replace(b"\r\n", b"\r\n" + added, 1)
        return head if re.search(rb"(?im)^Upgrade:", head) else _last(head)

    def _as_from_here(self, head: bytes) -> bytes:
        head = _replaced(head, b"Location", self._site, self.url)
        return head if re.match(rb"HTTP/1\.[01] 1", head) else _last(head)


def _head(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read the lines before the body, and what came with them."""
    received = b""
    while _END not in received and len(received) < _LONGEST:
        piece = connection.recv(_PIECE)
        if not piece:
            return received, b""
        received += piece
    head, end, body = received.partition(_END)
    return head + end, body


def _replaced(head: bytes, name: bytes, old: str, new: str) -> bytes:
    """Give the lines with the beginning of one header's value replaced."""
    pattern = rb"(?im)^(" + name + rb":[ \t]*)" + re.escape(old.encode())
    return re.sub(pattern, lambda found: found[1] + new.encode(), head, count=1)


def _last(head: bytes) -> bytes:
    """Say that the connection ends with this."""
    head = re.sub(rb"(?im)^(?:Connection|Keep-Alive):[^\r]*\r\n", b"", head)
    return head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


def _pass_on(here: socket.socket, there: socket.socket) -> None:
    """Pass on what one says until it has no more to say."""
    with suppress(OSError):
        while piece := here.recv(_PIECE):
            there.sendall(piece)
