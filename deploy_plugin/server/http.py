"""One HTTP request and its answer as bytes, for a pipe that ssh makes."""

from __future__ import annotations

import http.client
import io

from deploy_plugin.server.base import Answer


def request(path: str, host: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: pytest-deploy\r\nConnection: close\r\n\r\n".encode()


def answer(received: bytes) -> Answer:
    """Read an answer; OSError where it is none."""
    response = http.client.HTTPResponse(_Pipe(received))  # type: ignore[arg-type]
    try:
        response.begin()
        body = response.read()
    except http.client.HTTPException as error:
        raise ConnectionError("no HTTP answer") from error
    return Answer(response.status, {key.lower(): value for key, value in response.getheaders()}, body)


class _Pipe:
    """What http.client takes for a socket."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._received)
