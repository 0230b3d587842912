"""An archive is packed where the link is slower than the compressor, and only there."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from deploy_plugin.images.packing import FIRST, PACKED, PROBE, STORED, Packer, measure
from deploy_plugin.testing import FakeServer

SLOW, FAST = 1.0, 1e15
TEXT = b"What is sent often, often is sent. " * 3_000
SIZE = 12 * FIRST


def sent(packer: Packer, content: bytes, size: int) -> bytes:
    def chunks() -> Iterator[bytes]:
        for _ in range(size // len(content)):
            yield content

    stream = b"".join(packer.packed(chunks()))
    assert gzip.decompress(stream) == b"".join(chunks())
    return stream


def test_on_a_slow_link_it_is_packed() -> None:
    packer = Packer(lambda: SLOW)
    assert len(sent(packer, TEXT, SIZE)) < SIZE / 10
    assert packer.level == PACKED


def test_on_a_fast_link_only_the_first_of_it_is_packed() -> None:
    packer = Packer(lambda: FAST)
    assert len(sent(packer, TEXT, SIZE)) > SIZE - 2 * FIRST
    assert packer.level == STORED


def test_the_link_is_measured_once_and_not_at_all_for_little() -> None:
    measured: list[float] = []

    def link() -> float:
        measured.append(FAST)
        return FAST

    packer = Packer(link)
    sent(packer, TEXT, FIRST // 2)
    assert measured == []
    sent(packer, TEXT, SIZE)
    sent(packer, TEXT, SIZE)
    assert measured == [FAST]


def test_what_is_compared_goes_the_same_way_to_the_server(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(server, "run", lambda *_, stdin=b"": sizes.append(len(stdin)))
    measure(server)
    assert set(sizes) == {PROBE, 1}  # a command without stdin would spare itself a session of its own


def test_what_measures_the_link_counts_as_sent(server: FakeServer) -> None:
    assert measure(server) > 0
    assert server.bytes_sent == 2 * PROBE
