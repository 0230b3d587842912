"""A live target is known by whatever name it is typed."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from deploy_plugin import address, config, sandbox
from deploy_plugin.models import Target
from deploy_plugin.sandbox import Sandbox
from tests.project import write

LIVE = """
    [app]
    name = "site"
    [targets.staging]
    host = "elspeth@staging.example.com"
    [targets.live]
    host = "elspeth@www.example.com:2222"
    live = true
"""
ADDRESSES = {
    "www.example.com": ["192.0.2.1", "2001:db8::1"],
    "example.com": ["192.0.2.1"],
    "192.0.2.1": ["192.0.2.1"],
    "2001:db8::1": ["2001:db8::1"],
    "staging.example.com": ["192.0.2.2"],
}


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        if host not in ADDRESSES:
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ADDRESSES[host]]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


def found(root: Path, destination: str, text: str = LIVE, ssh_config: Path | None = None) -> str | None:
    write(root, text)
    target = Target("typed", destination, "http://x", ssh_config=ssh_config)
    return address.live_target_at(target, config.named_targets(root, {}))


@pytest.mark.parametrize(
    "destination",
    [
        "www.example.com:2222",
        "root@WWW.Example.com:2222",
        "other@example.com:2222",
        "192.0.2.1:2222",
        "[2001:db8::1]:2222",
    ],
)
def test_any_name_of_the_same_server_on_the_same_port_is_live(tmp_path: Path, destination: str) -> None:
    assert found(tmp_path, destination) == "live"


@pytest.mark.parametrize(
    "destination",
    [
        "www.example.com",
        "staging.example.com:2222",
        "nobody-knows.example.com:2222",
    ],
)
def test_another_port_another_server_and_a_name_that_nobody_knows_are_not(tmp_path: Path, destination: str) -> None:
    assert found(tmp_path, destination) is None


def test_an_alias_of_the_runs_ssh_configuration_is_what_it_stands_for(tmp_path: Path) -> None:
    (tmp_path / "ssh").write_text("Host web\n  HostName www.example.com\n  Port 2222\n")
    assert found(tmp_path, "web", ssh_config=tmp_path / "ssh") == "live"


def test_so_is_an_alias_that_the_live_target_uses(tmp_path: Path) -> None:
    (tmp_path / "ssh").write_text("Host web\n  HostName www.example.com\n  Port 2222\n")
    text = LIVE.replace('"elspeth@www.example.com:2222"', '"web"\n    ssh_config = "ssh"')
    assert found(tmp_path, "example.com:2222", text) == "live"


def test_without_a_live_target_nothing_is_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "address", lambda *_: pytest.fail("it was resolved"))
    assert found(tmp_path, "www.example.com", LIVE.replace("live = true", "")) is None


def test_a_live_sandbox_is_known_by_its_address_and_one_that_is_gone_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = LIVE.replace("elspeth@www.example.com:2222", "sandbox:a")
    (tmp_path / "ssh").write_text("")
    box = Sandbox(
        "a", "deploy@127.0.0.77", tmp_path / "ssh", "http://127.0.0.77", tmp_path, engine=None, throwaway=False
    )
    monkeypatch.setattr(sandbox, "find", lambda name: box if name == "a" else None)
    assert found(tmp_path, "root@127.0.0.77", text) == "live"
    monkeypatch.setattr(sandbox, "find", lambda _name: None)
    assert found(tmp_path, "root@127.0.0.77", text) is None
