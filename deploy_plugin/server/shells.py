"""Some shells at the other end of one connection: threads that ask at the same time have one each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from deploy_plugin.server.base import Result
from deploy_plugin.server.shell import Busy, Shell

_MOST = 4
"""A server allows ten sessions on one connection, if nobody changed that, and tests want theirs."""


class Shells:
    """Opens another one where all are busy, which takes as long as a session for one command; the next has it."""

    def __init__(self, first: Shell, more: Callable[[], Shell]) -> None:
        """``more`` opens one; ``EOFError`` where that can't be."""
        self._all = [first]
        self._more = more
        self._opening = threading.Lock()

    def run(self, command: str, stdin: bytes = b"") -> Result:
        """As a shell's: ``Busy`` where they all are, and there are no more."""
        for shell in self._all:
            with suppress(Busy):
                return shell.run(command, stdin)
        with self._opening:
            if len(self._all) >= _MOST:
                raise Busy
            try:
                another = self._more()
            except EOFError:
                raise Busy from None
            self._all.append(another)
        return another.run(command, stdin)
