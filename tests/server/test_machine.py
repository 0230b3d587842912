"""A server that is the machine itself; with its real Docker it is tested by a whole deploy."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.server import local, machine
from deploy_plugin.server.base import Result, Server
from deploy_plugin.server.machine import LocalServer
from deploy_plugin.testing import FakeEngine


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalServer:
    monkeypatch.setenv("HOME", str(tmp_path))
    return LocalServer()


class Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.headers['Host']}{self.path}".encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def web_server() -> Iterator[tuple[str, int]]:
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.handle_request).start()
        yield "127.0.0.1", server.server_port


def test_it_is_a_server() -> None:
    server: Server = LocalServer()
    server.reconnect()
    server.close()


def test_a_command_runs_at_home_and_its_failure_is_an_exit_code(here: LocalServer, tmp_path: Path) -> None:
    assert here.run("pwd").text == str(tmp_path)
    assert here.run("cat", stdin=b"told").stdout == b"told"
    assert here.run("sh", "-c", "echo no >&2; exit 3") == Result(3, b"", b"no\n")
    assert here.run("no-such-command").exit_code == 127


def test_a_file_is_written_with_its_mode_and_read_back(here: LocalServer, tmp_path: Path) -> None:
    path = PurePosixPath(tmp_path / "deploy" / ".env")
    assert here.read(path) is None
    here.write(path, b"KEY=x\n", mode=0o600)
    assert here.read(path) == b"KEY=x\n"
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert here.bytes_sent == 6


def test_a_web_server_is_asked_with_the_sites_own_name(here: LocalServer, web_server: tuple[str, int]) -> None:
    answer = here.get(*web_server, "/health", host="www.example.com")
    assert (answer.status, answer.body) == (200, b"www.example.com/health")


def test_where_nothing_listens_is_an_os_error(here: LocalServer) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            here.get("127.0.0.1", nobody.getsockname()[1], "/", host="x")


def test_its_facts_are_this_machines(here: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "local_client", lambda **_: None)
    monkeypatch.setattr(machine, "DockerEngine", lambda _client: FakeEngine())
    assert here.facts.home == PurePosixPath(tmp_path)
    here.close()


@pytest.mark.parametrize("address", ["unix:///nowhere.sock", "tcp://docker.example.com:2375"])
def test_without_an_engine_of_its_own_it_says_so_and_nobody_installs_one(
    here: LocalServer, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)
    with pytest.raises(StepFailed) as caught:
        assert here.facts
    assert address in str(caught.value)
    assert caught.value.hint
