"""Loads that follow each other: one is sent while the server still unpacks the one before."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait

from deploy_plugin.begun import begun

_PATIENCE = 10.0
"""Seconds until a piece is sent: on a link that does not move, nobody waits longer to give up."""


class _GivenUp(Exception):
    """Nobody wants the archive any more."""


class Loads:
    """Each in a thread of its own, two at a time: the end of an archive is held back until the one before is loaded.

    Only with its end an archive is loaded, and what is in it may lie on top of what the one before brings.
    """

    def __init__(self, load: Callable[[Iterator[bytes]], None]) -> None:
        """``load`` sends an archive, and returns when it is loaded."""
        self._load = load
        self._begun: list[Future[None]] = []
        self._read: Future[None] = Future()
        self._given_up = threading.Event()

    def send(self, archive: Iterable[bytes]) -> None:
        """Return when there is nothing more to read of it; raise what went wrong with it, or with the one before."""
        if len(self._begun) > 1:
            self._begun[-2].result()
        before = self._begun[-1] if self._begun else None
        self._read = Future()
        pieces = self._pieces(archive, self._read, before)
        loaded = begun(lambda: self._load(pieces), "load")
        self._begun.append(loaded)
        wait((loaded, self._read), return_when=FIRST_COMPLETED)
        if loaded.done():
            loaded.result()

    def wait(self) -> None:
        """Wait until all are loaded."""
        if self._begun:
            self._begun[-1].result()

    def give_up(self) -> None:
        """Send nothing more, and read no archive any more; nothing where all are loaded."""
        self._given_up.set()
        if self._begun:
            wait((self._begun[-1], self._read), _PATIENCE, FIRST_COMPLETED)

    def _pieces(self, archive: Iterable[bytes], read: Future[None], before: Future[None] | None) -> Iterator[bytes]:
        held: bytes | None = None
        for piece in archive:
            if self._given_up.is_set():
                raise _GivenUp
            if before and before.done():
                before.result()  # of one that was refused, nothing can follow
            if held is not None:
                yield held
            held = piece
        read.set_result(None)
        if before:
            before.result()
        if held is not None:
            yield held
