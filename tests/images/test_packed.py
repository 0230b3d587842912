"""Layers that are kept packed are read as what they are."""

from __future__ import annotations

import gzip
import hashlib
import zlib

import pytest

from deploy_plugin.images import packed
from deploy_plugin.images.packed import Unpacked, look, unpacked

CONTENT = bytes(range(256)) * 1000
DIFF_ID = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


def pieces(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


@pytest.mark.parametrize("size", [1, 7, 1000, 1_000_000])
def test_one_member_and_several_in_pieces_of_any_size(size: int) -> None:
    one, several = gzip.compress(CONTENT), b"".join(map(gzip.compress, pieces(CONTENT, 100_000)))
    for content in one, several:
        assert b"".join(unpacked(pieces(content, size))) == CONTENT


def test_never_more_than_a_megabyte_is_unpacked_at_once() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 100_000
    sizes = [len(piece) for piece in unpacked([bomb])]
    assert (max(sizes) <= 1 << 20, sum(sizes)) == (True, 50_000_000)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", CONTENT, gzip.compress(CONTENT)[:-1], gzip.compress(CONTENT) + b"more", b"\x1f\x8bno"],
    ids=["nothing", "json", "a tar", "cut off", "followed by something", "no gzip"],
)
def test_what_is_no_packed_layer_is_told_from_one(content: bytes) -> None:
    with pytest.raises(zlib.error):
        list(unpacked([content]))
    assert look([content]) == (None, None)


def test_one_that_is_not_large_is_given_as_it_is_looked_at() -> None:
    found, layer = look(pieces(gzip.compress(CONTENT), 1000))
    assert found == Unpacked(DIFF_ID, len(CONTENT))
    assert layer
    assert (layer.diff_id, layer.size, b"".join(layer.chunks)) == (DIFF_ID, len(CONTENT), CONTENT)


def test_a_large_one_is_known_when_it_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "KEPT", 1000)
    blob = gzip.compress(CONTENT)
    found, layer = look([blob])
    assert found == Unpacked(DIFF_ID, len(CONTENT))
    assert layer is None
    assert b"".join(found.layer([blob]).chunks) == CONTENT
