"""One HTTP request and its answer as bytes, for a pipe that ssh makes."""

from __future__ import annotations

import http.client
import io
from typing import IO

from deploy_plugin.server.base import Answer


def request(path: str, host: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: pytest-deploy\r\nConnection: close\r\n\r\n".encode()


def answer(received: bytes) -> Answer:
    """Read an answer that has come; OSError where it is none."""
    return read(io.BytesIO(received))


def read(pipe: IO[bytes]) -> Answer:
    """Read an answer as it comes, and no further than it goes; OSError where it is none."""
    response = http.client.HTTPResponse(_Pipe(pipe))  # type: ignore[arg-type]
    try:
        response.begin()
        body = response.read()
    except http.client.HTTPException as error:
        raise ConnectionError("no HTTP answer") from error
    return Answer(response.status, {key.lower(): value for key, value in response.getheaders()}, body)


class _Pipe:
    """What http.client takes for a socket."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    def makefile(self, _mode: str) -> IO[bytes]:
        return self._pipe
