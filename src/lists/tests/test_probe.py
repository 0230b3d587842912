from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from superlists import probe

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("a.example,b.example", "a.example"),
        (".example.com", "example.com"),
        ("*", "localhost"),
        ("", "localhost"),
    ],
)
def test_the_probe_uses_a_name_that_the_site_allows(monkeypatch: pytest.MonkeyPatch, allowed: str, host: str) -> None:
    monkeypatch.setenv("DJANGO_ALLOWED_HOSTS", allowed)
    assert probe.allowed_host() == host


@pytest.fixture
def probed_site(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> LiveServer:
    monkeypatch.setattr(probe, "PORT", live_server.thread.port)
    monkeypatch.setenv("DJANGO_ALLOWED_HOSTS", "localhost")
    return live_server


@pytest.mark.usefixtures("probed_site")
def test_a_site_that_answers_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert probe.main() == 0
    assert capsys.readouterr().out == "ok\n"


@pytest.mark.usefixtures("probed_site")
def test_a_site_that_refuses_the_name_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOWED_HOSTS", "not-allowed.example")
    assert probe.main() == 1


def test_a_site_that_is_not_there_is_not(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(probe, "PORT", 1)
    assert probe.main() == 1
    assert "Connection refused" in capsys.readouterr().out
