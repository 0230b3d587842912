"""Something that has to be said again and again, while something else goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Renewal:
    """Calls ``renew`` every so many seconds, from a thread of its own, until it is stopped."""

    def __init__(self, renew: Callable[[], None], seconds: float) -> None:
        self._renew = renew
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="renewal", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._stopped.wait(self._seconds):
            self._renew()
