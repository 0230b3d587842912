"""How fast the way to a server is, measured once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy_plugin.server import link
from deploy_plugin.server.link import PROBE, SENT, measure
from deploy_plugin.server.ssh import SshServer
from deploy_plugin.server.ssh_config import write_run_config
from tests.server.test_ssh import fake_ssh


def test_some_noise_is_compared_with_nothing() -> None:
    sizes: list[int] = []
    assert measure(lambda noise: sizes.append(len(noise))) > 0
    assert set(sizes) == {PROBE, 0}
    assert sum(sizes) == SENT


def test_much_and_nothing_go_the_same_way_to_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run_config(tmp_path, user_config=None, identity_file=None)
    fake_ssh(tmp_path, monkeypatch, 'case "$*" in *"-- sh") exec sh;; *) cat >/dev/null;; esac')
    with SshServer("elspeth@x", tmp_path) as server:
        assert server.link_speed() > 0
        assert server.bytes_sent == SENT
    called = (tmp_path / "called").read_text()
    assert called.count("cat >/dev/null\n") == 4, "a shell that stays would be quicker for nothing than for much"


def test_a_connection_is_measured_once_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both, measured = threading.Barrier(2, timeout=30), []

    def slowly(send: object) -> float:
        measured.append(send)
        return 1000.0

    def ask() -> float:
        both.wait()
        return server.link_speed()

    monkeypatch.setattr(link, "measure", slowly)
    write_run_config(tmp_path, user_config=None, identity_file=None)
    fake_ssh(tmp_path, monkeypatch, "exec sh")
    with SshServer("staging", tmp_path) as server, ThreadPoolExecutor() as pool:
        assert [found.result() for found in [pool.submit(ask), pool.submit(ask)]] == [1000.0, 1000.0]
    assert len(measured) == 1
