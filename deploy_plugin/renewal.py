"""Something that has to be said again and again, while something else goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Renewal:
    """Calls ``renew`` every so many seconds, from a thread of its own, until it is ended, or there is no use in it."""

    def __init__(self, renew: Callable[[], bool], seconds: float) -> None:
        """``renew`` says whether there is any use in going on."""
        self._renew = renew
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="renewal", daemon=True)
        self._thread.start()

    @property
    def goes_on(self) -> bool:
        return self._thread.is_alive()

    @property
    def was_ended(self) -> bool:
        return self._ended.is_set()

    def end(self) -> None:
        """Let no other call begin."""
        self._ended.set()

    def stop(self) -> None:
        """End it, and wait for a call that is under way, but no longer than for the next one."""
        self.end()
        self._thread.join(timeout=self._seconds)

    def _go_on(self) -> None:
        while not self._ended.wait(self._seconds):
            if not self._renew():
                return
