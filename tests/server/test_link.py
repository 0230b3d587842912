"""How fast the way to a server is, measured once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy_plugin.server import link
from deploy_plugin.server.link import PROBE, measure
from deploy_plugin.server.ssh import SshServer
from deploy_plugin.testing import FakeServer


def test_what_is_compared_goes_the_same_way_to_the_server(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(server, "run", lambda *_, stdin=b"": sizes.append(len(stdin)))
    measure(server)
    assert set(sizes) == {PROBE, 1}  # a command without stdin would spare itself a session of its own


def test_what_measures_the_link_counts_as_sent(server: FakeServer) -> None:
    assert measure(server) > 0
    assert server.bytes_sent == 2 * PROBE


def test_a_connection_is_measured_once_whoever_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both, measured = threading.Barrier(2, timeout=30), []

    def slowly(server: object) -> float:
        measured.append(server)
        return 1000.0

    def ask() -> float:
        both.wait()
        return server.link_speed()

    monkeypatch.setattr(link, "measure", slowly)
    server = SshServer("staging", tmp_path)
    with ThreadPoolExecutor() as pool:
        assert [found.result() for found in [pool.submit(ask), pool.submit(ask)]] == [1000.0, 1000.0]
    assert measured == [server]
