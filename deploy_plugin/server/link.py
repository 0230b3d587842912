"""How fast the way to a server is."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

PROBE = 250_000
_PROBES = 2
"""Of which the quickest counts: something else may run here just then."""
_AT_LEAST = 8
"""The part of a probe's time that is the link's in any case, whatever was measured: the rest is a session's."""


def measure(server: Server) -> float:
    """Send some noise and give the bytes that went through in a second, without the way there and back."""
    noise = os.urandom(PROBE)
    # Noise first: it waits for what is still under way, and the link is only taken for slower than it is.
    took = min(_seconds(server, noise) for _ in range(_PROBES))
    # Next to nothing, not nothing: that would go another way.
    empty = min(_seconds(server, noise[:1]) for _ in range(_PROBES))
    server.bytes_sent += _PROBES * PROBE
    return PROBE / max(took - empty, took / _AT_LEAST)


def _seconds(server: Server, noise: bytes) -> float:
    start = time.perf_counter()
    server.run("sh", "-c", "cat >/dev/null", stdin=noise)
    return time.perf_counter() - start
