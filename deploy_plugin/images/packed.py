"""Layers as containerd's store keeps what a registry sent or BuildKit made: packed with gzip, and named so."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deploy_plugin.images.layers import Layer

KEPT = 8_000_000
"""Bytes of an unpacked layer that are kept while it is read to see which it is; a larger one is read once more."""
_AT_ONCE = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What a packed blob turned out to be."""

    diff_id: str
    size: int
    """Bytes, unpacked."""

    def layer(self, packed: Iterable[bytes]) -> Layer:
        return Layer(self.diff_id, self.size, unpacked(packed))


def look(blob: Iterable[bytes]) -> tuple[Unpacked | None, Layer | None]:
    """Read a blob to its end: say what it is, None where it is not packed; and give it, unless it is large."""
    sha256, size = hashlib.sha256(), 0
    kept: list[bytes] | None = []
    try:
        for chunk in unpacked(blob):
            sha256.update(chunk)
            size += len(chunk)
            if kept is not None:
                kept.append(chunk)
            if size > KEPT:
                kept = None
    except zlib.error:
        return None, None
    found = Unpacked(f"sha256:{sha256.hexdigest()}", size)
    return found, None if kept is None else Layer(found.diff_id, size, kept)


def unpacked(packed: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack gzip of one member or several, not more than a megabyte at once; ``zlib.error`` where it is none."""
    member = zlib.decompressobj(_GZIP)
    begun = False
    for chunk in packed:
        rest = chunk
        while rest:
            if member.eof:
                member = zlib.decompressobj(_GZIP)
            if piece := member.decompress(rest, _AT_ONCE):
                yield piece
            begun = True
            rest = member.unused_data if member.eof else member.unconsumed_tail
    if not begun or not member.eof:
        raise zlib.error("it ends too early")
