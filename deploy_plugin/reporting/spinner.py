"""What shows that a step is at work."""

from __future__ import annotations

import itertools
import termios
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest import TerminalReporter  # noqa: PT013 - only its type

    from deploy_plugin.server.base import Shipping

_PAUSE = 0.1
_FRAMES = "|/-\\"  # every terminal has them
_MEGABYTE = 1_000_000


class Pace:
    """What was sent since now, and how fast: ``179.8 MB at 24.1 MB/s``; empty for next to nothing.

    Of an image that is on its way, also ``layer 2 of 5`` before that, and ``50s left`` behind it.
    """

    def __init__(self, sent: Callable[[], int], shipping: Callable[[], Shipping | None] = lambda: None) -> None:
        self._sent = sent
        self._shipping = shipping
        self._before = sent()
        self._start = time.monotonic()

    def __str__(self) -> str:
        shipping, seconds = self._shipping(), max(time.monotonic() - self._start, 0.001)
        return "".join(
            f"{part}, " for part in (_layer(shipping), self._rate(seconds), _left(shipping, seconds)) if part
        )

    def _rate(self, seconds: float) -> str:
        megabytes = (self._sent() - self._before) / _MEGABYTE
        return f"{megabytes:.1f} MB at {megabytes / seconds:.1f} MB/s" if round(megabytes, 1) else ""


def _layer(shipping: Shipping | None) -> str:
    return f"layer {min(shipping.layers_done + 1, shipping.layers)} of {shipping.layers}" if shipping else ""


def _left(shipping: Shipping | None, seconds: float) -> str:
    if not shipping or not shipping.done or shipping.done > shipping.size:
        return ""
    return f"{(shipping.size - shipping.done) * seconds / shipping.done:.0f}s left"


class Spinner:
    """Turns on the terminal's last line, from a thread of its own, until it is stopped."""

    def __init__(self, terminal: TerminalReporter, text: str, pace: Pace) -> None:
        self._terminal = terminal
        self._text = text
        self._pace = pace
        self._start = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._turn, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop, and leave the line empty, with the cursor at its left."""
        self._stopped.set()
        self._thread.join()
        self._terminal.rewrite("", erase=True)
        self._terminal.rewrite("")

    def _turn(self) -> None:
        for frame in itertools.cycle(_FRAMES):
            took = f"{self._pace}{time.monotonic() - self._start:.0f}s"
            if not _somebody_types_a_password():
                self._terminal.rewrite(f"{self._text} {frame} {took}"[: self._terminal._tw.fullwidth - 1], erase=True)  # noqa: SLF001 - no other way to it
            if self._stopped.wait(_PAUSE):
                return


def _somebody_types_a_password() -> bool:
    """Whether the terminal shows nothing of what is typed: then its last line is a question's, not ours."""
    try:
        return not termios.tcgetattr(1)[3] & termios.ECHO
    except (termios.error, OSError):
        return False
