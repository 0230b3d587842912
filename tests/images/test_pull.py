"""Images that somebody else made: pulled where they are missing, or made for another platform."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import ImageNotFound

from deploy_plugin.errors import StepFailed
from deploy_plugin.images import pull
from deploy_plugin.server import local


class Client:
    """Docker on this machine, which has ``caddy:2.11`` for one platform, or does not have it."""

    def __init__(self, architecture: str | None) -> None:
        self.images = self
        self._architecture = architecture

    def get(self, reference: str) -> Any:
        assert reference == "caddy:2.11"
        if self._architecture is None:
            raise ImageNotFound(reference)
        return SimpleNamespace(attrs={"Os": "linux", "Architecture": self._architecture})

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker command that writes down what it is told."""
    command = tmp_path / "docker"
    fails = tmp_path / "fails"
    command.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/told\n[ ! -e {fails} ] || {{ cat {fails} >&2; exit 1; }}\n')
    command.chmod(0o755)
    monkeypatch.setattr(local, "docker_command", lambda: str(command))
    return tmp_path


@pytest.mark.parametrize("architecture", [None, "arm64"])
def test_what_is_missing_or_for_another_platform_is_pulled(
    docker: Path, monkeypatch: pytest.MonkeyPatch, architecture: str | None
) -> None:
    monkeypatch.setattr(local, "local_client", lambda: Client(architecture))
    pull.ensure_here("caddy:2.11", "linux/amd64")
    assert (docker / "told").read_text() == "pull --quiet --platform linux/amd64 caddy:2.11\n"


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_what_is_here_for_the_server_s_platform_is_left_alone(
    docker: Path, monkeypatch: pytest.MonkeyPatch, architecture: str
) -> None:
    monkeypatch.setattr(local, "local_client", lambda: Client(architecture))
    pull.ensure_here("caddy:2.11", f"linux/{architecture}")
    assert not (docker / "told").exists()


def test_an_image_that_can_not_be_pulled_is_a_sentence(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "local_client", lambda: Client(None))
    (docker / "fails").write_text("no such host")
    with pytest.raises(StepFailed, match=r"caddy:2\.11 for linux/amd64 is not on this machine") as caught:
        pull.ensure_here("caddy:2.11", "linux/amd64")
    assert caught.value.got == "no such host"
    assert "docker load" in caught.value.hint
