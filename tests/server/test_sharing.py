"""Requests to an engine over few connections, whatever they ask for."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from deploy_plugin.server.docker import DockerEngine, connect_socket

CONNECTIONS: list[object] = []


class Engine(BaseHTTPRequestHandler):
    """Knows no container, and says so over connections that stay open."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        CONNECTIONS.append(self)
        super().setup()

    def do_GET(self) -> None:
        pings = self.path == "/_ping"
        body = b"OK" if pings else b'{"message": "no such container"}'
        self.send_response(200 if pings else 404)
        for name, value in {"Api-Version": "1.43", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return ""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DockerEngine]:
    with socketserver.ThreadingUnixStreamServer(str(tmp_path / "docker.sock"), Engine) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        CONNECTIONS.clear()
        engine = connect_socket(tmp_path / "docker.sock")
        yield engine
        engine.close()
        server.shutdown()


def test_one_after_the_other_goes_over_one_connection(engine: DockerEngine) -> None:
    found = [engine.container(name) for name in ("one", "other", "third")]
    assert found == [None, None, None]
    assert len(CONNECTIONS) == 2, "one to knock, and one for all that is asked"


def test_the_version_is_the_one_that_was_said_when_we_knocked(engine: DockerEngine) -> None:
    assert engine._client.api.api_version == "1.43"  # noqa: SLF001 - nobody else knows it
