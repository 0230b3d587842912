"""Ctrl-C, where what has begun should end first."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType


@contextmanager
def second_one_counts(say: Callable[[], object]) -> Iterator[None]:
    """Let the first Ctrl-C only ``say`` something; the next one is a KeyboardInterrupt, as ever.

    Where a handler of somebody else's is there, or in another thread than the main one, nothing is changed.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is not signal.default_int_handler:
        yield
        return

    def first(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        with suppress(RuntimeError):  # something else was being written just then
            say()

    signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
