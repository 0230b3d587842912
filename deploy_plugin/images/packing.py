"""Pack an archive with gzip on its way, where the link is slower than the compressor."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

FIRST = 1_000_000
"""Bytes that are packed in any case, where there are no more: what is less is not worth a measurement."""
MARGIN = 4
"""How many times slower the link has to be: most of an image shrinks by half, and others want the processor as well."""
_FASTEST = 1
_PIECE = 1 << 18
_SAMPLES = 3
"""Of which the quickest counts: something else may run here just then."""
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(slots=True)
class Packer:
    """Packs what goes over one link, or leaves it as it is: ``docker load`` takes either."""

    link_speed: Callable[[], float]
    """Gives the bytes that the link takes in a second; asked once, when more is sent than ``FIRST``."""
    _packs: bool | None = None
    """Whether packing is worth it; None until it had to be known."""

    def packed(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Give what is sent in their place; the first of them are taken at once, to see whether it is worth it."""
        pieces = _larger(chunks)
        first = list(_until(FIRST, pieces))
        if self._packs is None and sum(map(len, first)) >= FIRST:
            self._packs = self.link_speed() * MARGIN < _speed(first[-1])
        whole = chain(first, pieces)
        return whole if self._packs is False else _gzip(whole)


def _speed(sample: bytes) -> float:
    """Give the bytes that are packed in a second."""
    return len(sample) / min(_seconds(lambda: zlib.compress(sample, _FASTEST)) for _ in range(_SAMPLES))


def _gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    member = zlib.compressobj(_FASTEST, wbits=_GZIP)
    for piece in pieces:
        if packed := member.compress(piece):
            yield packed
    yield member.flush()


def _seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _larger(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in chunks:
        if not waiting and len(chunk) >= _PIECE:
            yield chunk
            continue
        waiting += chunk
        if len(waiting) >= _PIECE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _until(size: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Give the first of them, until there are so many bytes."""
    for piece in pieces:
        yield piece
        size -= len(piece)
        if size <= 0:
            break
