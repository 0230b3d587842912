"""How fast the way to a server is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

PROBE = 250_000
_PROBES = 2
"""Of which the quickest counts: something else may run here just then."""
SENT = PROBE * _PROBES
_AT_LEAST = 8
"""The part of a probe's time that is the link's in any case, whatever was measured: the rest is a session's."""


def measure(send: Callable[[bytes], object]) -> float:
    """Send some noise and give the bytes that went through in a second, without the way there and back.

    ``send`` returns when all has arrived, and goes the same way for much as for little.
    """
    noise = os.urandom(PROBE)
    # Noise first: it waits for what is still under way, and the link is only taken for slower than it is.
    took = min(_seconds(send, noise) for _ in range(_PROBES))
    empty = min(_seconds(send, b"") for _ in range(_PROBES))
    return PROBE / max(took - empty, took / _AT_LEAST)


def _seconds(send: Callable[[bytes], object], noise: bytes) -> float:
    start = time.perf_counter()
    send(noise)
    return time.perf_counter() - start
