"""A server's engine is asked how old it is before anything else is."""

from __future__ import annotations

import json
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.server.docker import connect_socket


@contextmanager
def engine_of(version: str) -> Iterator[Path]:
    """Give a socket where an engine answers that knows only how old it is."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"ApiVersion": version}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "a socket"

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "docker.sock"
        with socketserver.ThreadingUnixStreamServer(str(path), Answers) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield path
            server.shutdown()


@pytest.mark.parametrize("version", ["1.12", "1.38", "1.40"])
def test_docker_too_old_is_said_with_the_oldest_that_works(version: str) -> None:
    with engine_of(version) as path, pytest.raises(StepFailed) as caught:
        connect_socket(path)
    assert caught.value.message.startswith("Docker on the server is too old: it speaks API ")
    assert "1.41 is the oldest" in caught.value.message
    assert "Docker 20.10" in caught.value.hint


@pytest.mark.parametrize("version", ["1.41", "1.55"])
def test_docker_that_is_new_enough_is_taken(version: str) -> None:
    with engine_of(version) as path, closing(connect_socket(path)):
        pass
