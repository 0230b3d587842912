"""A step that is begun before its turn, beside those before it, because all that it needs is there already."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import wait
from typing import TYPE_CHECKING, cast

from deploy_plugin.begun import begun
from deploy_plugin.server.aside import Aside

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server
    from deploy_plugin.steps.base import Step

_LOOK = 0.1
"""Seconds between two looks at what it ships, for whoever waits."""
_PATIENCE = 10.0
"""Seconds: one command may be under way when it is stopped, and nothing is begun after it."""


class TooEarly(Exception):
    """The step itself says that it has to wait for its turn."""


class Ahead:
    """Looks and acts in a thread of its own. What goes wrong there is no failure: at its turn the step is done anew."""

    def __init__(self, step: Step, server: Server, for_changes: Callable[[Server], Server]) -> None:
        """``for_changes`` gives the server on which something may be changed."""
        self._step = step
        self._server = server
        self._aside = Aside(server)
        self._for_changes = for_changes
        self._reason = begun(self._go, f"ahead: {step.title}")

    @property
    def reason(self) -> str | None:
        """What was missing, or what was done, once it is; None where nothing was."""
        return self._reason.result()

    def wait(self) -> bool:
        """Wait until it has ended, and say whether it is done; what it ships is shown as the run's own."""
        while wait((self._reason,), _LOOK).not_done:
            self._server.shipping = self._aside.shipping
        self._server.shipping = None
        self._count()
        return not self._reason.exception()

    def stop(self) -> None:
        """Let it change nothing more, and wait until it does not; nothing where it has ended."""
        self._aside.stop()
        wait((self._reason,), _PATIENCE)
        self._count()

    def _go(self) -> str | None:
        aside = cast("Server", self._aside)
        may_begin: Callable[[Server], bool] | None = getattr(self._step, "may_begin", None)
        if may_begin and not may_begin(aside):
            raise TooEarly
        reason = self._step.check(aside)
        if reason is not None:
            reason = self._step.apply(self._for_changes(aside)) or reason
        return reason

    def _count(self) -> None:
        self._server.bytes_sent += self._aside.bytes_sent
        self._aside.bytes_sent = 0
