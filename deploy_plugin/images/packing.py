"""Pack an archive with gzip on its way, where the link is slower than the compressor."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

PACKED, STORED = 1, 0
FIRST = 1_000_000
"""Bytes that are packed in any case: what is less is not worth a measurement."""
MARGIN = 4
"""How many times slower the link has to be: most of an image shrinks by half, and others want the processor as well."""
PROBE = 250_000
_PIECE = 1 << 18
# Of which the quickest counts: something else may run here just then.
_SAMPLES, _PROBES = 3, 2
_AT_LEAST = 8
"""The part of a probe's time that is the link's in any case, whatever was measured: the rest is a session's."""
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(slots=True)
class Packer:
    """Packs one shipment. ``docker load`` reads a gzip stream of several members, each packed or only stored."""

    measure: Callable[[], float]
    """Gives the bytes that the link takes in a second; asked once, when more is sent than ``FIRST``."""
    level: int = PACKED
    _until_judged: int = FIRST

    def packed(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        level = self.level
        member = zlib.compressobj(level, wbits=_GZIP)
        for chunk in _larger(chunks):
            if 0 < self._until_judged <= len(chunk):
                self._judge(chunk)
            self._until_judged -= len(chunk)
            if level != self.level:
                yield member.flush()
                level = self.level
                member = zlib.compressobj(level, wbits=_GZIP)
            if piece := member.compress(chunk):
                yield piece
        yield member.flush()

    def _judge(self, sample: bytes) -> None:
        speed = len(sample) / min(_seconds(lambda: zlib.compress(sample, PACKED)) for _ in range(_SAMPLES))
        self.level = PACKED if self.measure() * MARGIN < speed else STORED


def measure(server: Server) -> float:
    """Send some noise and give the bytes that went through in a second, without the way there and back."""
    noise = os.urandom(PROBE)
    command = ("sh", "-c", "cat >/dev/null")
    # Noise first: it waits for what is still under way, and the link is only taken for slower than it is.
    took = min(_seconds(lambda: server.run(*command, stdin=noise)) for _ in range(_PROBES))
    # Next to nothing, not nothing: that would go another way.
    empty = min(_seconds(lambda: server.run(*command, stdin=noise[:1])) for _ in range(_PROBES))
    server.bytes_sent += _PROBES * PROBE
    return PROBE / max(took - empty, took / _AT_LEAST)


def _seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _larger(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        if len(waiting) >= _PIECE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)
