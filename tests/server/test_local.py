from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.server import docker, local


@pytest.mark.parametrize(
    ("address", "remote"),
    [
        ("unix:///var/run/docker.sock", False),
        ("http+unix:///var/run/docker.sock", False),
        ("npipe:////./pipe/docker_engine", False),
        ("tcp://127.0.0.1:2375", False),
        ("tcp://build.example.com:2376", True),
        ("ssh://elspeth@build.example.com", True),
        ("ssh://localhost", True),
    ],
)
def test_what_an_engine_publishes_is_on_our_loopback_only_where_it_is_here(address: str, *, remote: bool) -> None:
    assert local.is_remote(address) is remote


def test_docker_host_is_where_the_engine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://build.example.com:2376")
    assert local.engine_address() == ("tcp://build.example.com:2376", "DOCKER_HOST")


def test_a_context_that_was_removed_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONTEXT", "nosuch")
    with pytest.raises(StepFailed, match="no Docker context 'nosuch'") as caught:
        local.engine_address()
    assert "docker context ls" in caught.value.hint


def test_no_engine_here_names_the_address_and_where_it_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    with pytest.raises(StepFailed, match=r"none \(DOCKER_HOST\)") as caught:
        local.local_client()
    assert "make demo" in caught.value.hint


def test_no_docker_command_here_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StepFailed, match="no docker command"):
        local.docker_command()


def test_a_docker_command_is_found_on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\n")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert local.docker_command() == str(tmp_path / "docker")


def test_a_forwarded_socket_that_hangs_up_is_no_engine(tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with pytest.raises(FileNotFoundError):
        docker.connect_socket(path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def hang_up() -> None:
            connection, _ = listening.accept()
            connection.close()

        hanging_up = threading.Thread(target=hang_up)
        hanging_up.start()
        with pytest.raises(ConnectionError):
            docker.connect_socket(path)
        hanging_up.join()
