"""A step that is begun before its turn, beside those before it, because all that it needs is there already."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from deploy_plugin.server.aside import Aside

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server
    from deploy_plugin.steps.base import Step

_LOOK = 0.1
"""Seconds between two looks at what it ships, for whoever waits."""
_PATIENCE = 10.0
"""Seconds: one command may be under way when it is stopped, and nothing is begun after it."""


class Ahead:
    """Looks and acts in a thread of its own. What goes wrong there is no failure: at its turn the step is done anew."""

    def __init__(self, step: Step, server: Server, for_changes: Callable[[Server], Server]) -> None:
        """``for_changes`` gives the server on which something may be changed."""
        self.reason: str | None = None
        """What was missing, or what was done; None where nothing was."""
        self._step = step
        self._server = server
        self._aside = Aside(server)
        self._for_changes = for_changes
        self._is_done = False
        self._thread = threading.Thread(target=self._go, name=f"ahead: {step.title}", daemon=True)
        self._thread.start()

    def wait(self) -> bool:
        """Wait until it has ended, and say whether it is done; what it ships is shown as the run's own."""
        while self._thread.is_alive():
            self._server.shipping = self._aside.shipping
            self._thread.join(_LOOK)
        self._server.shipping = None
        self._count()
        return self._is_done

    def stop(self) -> None:
        """Let it change nothing more, and wait until it does not; nothing where it has ended."""
        self._aside.stop()
        self._thread.join(_PATIENCE)
        self._count()

    def _go(self) -> None:
        try:
            aside = cast("Server", self._aside)
            reason = self._step.check(aside)
            if reason is not None:
                reason = self._step.apply(self._for_changes(aside)) or reason
        except Exception:  # noqa: BLE001 - at its turn the step meets the same again, and says so
            return
        self.reason, self._is_done = reason, True

    def _count(self) -> None:
        self._server.bytes_sent += self._aside.bytes_sent
        self._aside.bytes_sent = 0
