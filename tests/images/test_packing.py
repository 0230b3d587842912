"""An archive is packed where the link is slower than the compressor, and only there."""

from __future__ import annotations

import gzip
from functools import partial

import pytest

from deploy_plugin.images.packing import FIRST, Packer

SLOW, FAST = 1.0, 1e15
TEXT = b"What is sent often, often is sent. " * 3_000
SIZE = 12 * FIRST


def sent(packer: Packer, content: bytes, size: int) -> bytes:
    return b"".join(packer.packed(content for _ in range(size // len(content))))


def test_on_a_slow_link_it_is_packed() -> None:
    stream = sent(Packer(lambda: SLOW), TEXT, SIZE)
    assert gzip.decompress(stream) == TEXT * (SIZE // len(TEXT))
    assert len(stream) < SIZE / 10


def test_on_a_fast_link_it_goes_as_it_is() -> None:
    assert sent(Packer(lambda: FAST), TEXT, SIZE) == TEXT * (SIZE // len(TEXT))


def test_little_is_packed_unless_the_link_is_known_to_be_fast() -> None:
    little, packer = FIRST // 2, Packer(lambda: FAST)
    assert gzip.decompress(sent(packer, TEXT, little)) == TEXT * (little // len(TEXT))
    sent(packer, TEXT, SIZE)
    assert sent(packer, TEXT, little) == TEXT * (little // len(TEXT))


@pytest.mark.parametrize("size", [0, 1, 3, 100_000, 262_144, 600_000])
def test_every_byte_goes_in_its_turn_whatever_the_size_of_the_pieces(size: int) -> None:
    pieces = [bytes([number]) * size for number in range(5)]
    for link in SLOW, FAST:
        stream = b"".join(Packer(partial(float, link)).packed(pieces))
        assert (gzip.decompress(stream) if stream[:2] == b"\x1f\x8b" else stream) == b"".join(pieces)


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
