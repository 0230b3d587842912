"""Only one at a time changes an app on a server: a small file there says who, and the server's clock until when.

Every operation is one command there, on the lease's file.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin import lease_file
from deploy_plugin.begun import begun
from deploy_plugin.errors import DeployError, LeaseHeld, LeaseLost
from deploy_plugin.lease_file import State, asked, clock, is_refused
from deploy_plugin.models import AppFolder
from deploy_plugin.renewal import Renewal
from deploy_plugin.server.files import script
from deploy_plugin.who import who

if TYPE_CHECKING:
    from deploy_plugin.server.base import Result, Server

TTL = 60
"""Seconds that a lease lasts unless it is renewed."""
_BEAT = TTL / 4
"""Seconds between two renewals, while a run lives."""
TRUST = 1.0
"""Seconds for which what the server said counts: who is given a lease that was taken away waits longer than that."""
_POLL = 1.0
"""Seconds between two tries to get it."""
_WAIT, _AGAIN = "Wait with --deploy-wait=SECONDS.", "Wait until then, and type it again."
_NOT_FOR_A_LINE = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class _Given:
    token: int
    claim: str
    asked: float
    """When it was asked for, by ``_clock``."""


class Lease:
    """The right to change an app on a server: until it is released, runs out, or is taken away.

    It is renewed in a thread of its own. That this fails for a while is nothing to stop for; that it failed for too
    long is said by the next ``require``.
    """

    def __init__(self, server: Server, app: str, target: str, given: _Given) -> None:
        self.token = given.token
        self._seen, self._lasts = given.asked, given.asked + TTL
        """When it was this run's the last time that the server was asked, and until when it does not run out."""
        self._claim = given.claim
        self._server = server
        self._file = file_of(server, app)
        self._target = target
        self._heart = Renewal(self._renew, _BEAT)

    @property
    def is_kept(self) -> bool:
        """Whether it is still renewed."""
        return self._heart.goes_on

    def require(self) -> None:
        """Raise ``LeaseLost`` if this is not the run any more that may change anything."""
        now = _clock()
        if now < self._seen + TRUST < self._lasts:
            return
        self._check(asked(self._server, lease_file.REQUIRE, self._file, str(self.token)))
        self._seen = now

    def run(self, *argv: str | PurePosixPath, stdin: bytes = b"") -> Result:
        """Run a command on the server in the same breath: it is not begun where the lease is lost."""
        now = _clock()
        done = script(self._server, lease_file.REQUIRE, self._file, str(self.token), *argv, stdin=stdin)
        self._check(done)
        self._seen = now
        return done

    def release(self) -> None:
        """Let the next one begin; again, or where it is lost, it changes nothing."""
        if self._heart.was_ended:
            return
        self._heart.stop()
        _release(self._server, self._file, self._claim)

    def _check(self, done: Result) -> None:
        if is_refused(done):
            self._heart.end()
            how = _how_it_ended(State.read(done.stdout), self.token)
            raise LeaseLost(
                f"This run's lease {how}: nothing more was changed.",
                hint=f"See what serves there, then deploy again: pytest-deploy status {self._target}",
            )

    def _renew(self) -> bool:
        now = _clock()
        try:
            done = asked(self._server, lease_file.RENEW, self._file, str(self.token), str(TTL))
        except DeployError:
            return True  # the next one may get through
        if is_refused(done):
            return False  # the next change says so
        self._lasts = now + TTL
        return True


def acquire(server: Server, app: str, target: str, purpose: str, *, wait: float | None = None) -> Lease:
    """Take the app's lease; ``LeaseHeld`` where somebody else holds it for all of ``wait`` seconds.

    It is None for a command, which has no option to wait.
    """
    until = time.monotonic() + (wait or 0)
    claim = secrets.token_hex(8)
    while True:
        now = _clock()
        state = _acquired(server, app, purpose, claim)
        if isinstance(state, int):
            return Lease(server, app, target, _Given(state, claim, now))
        if time.monotonic() >= until:
            how = _AGAIN if wait is None else _WAIT
            raise LeaseHeld(
                f"{state.holder} is at work on {app} on {target}: {state.purpose}, since {clock(state.since)}.",
                hint=f"Its lease ends at {clock(state.expires)} by the server's clock; a run that lives renews it.\n"
                f"{how} If you know that nobody is at work: pytest-deploy unlock {target}",
            )
        time.sleep(_POLL)


@contextmanager
def held(server: Server, app: str, target: str, purpose: str) -> Iterator[Lease]:
    """Hold the app's lease meanwhile."""
    lease = acquire(server, app, target, purpose)
    try:
        yield lease
    finally:
        lease.release()


def look(server: Server, app: str) -> State | None:
    """Say who holds the app's lease; nothing is changed."""
    return _held(asked(server, lease_file.LOOK, file_of(server, app)))


def take_away(server: Server, app: str) -> State | None:
    """Let the app's lease end now, and say whose it was: that run stops before its next change."""
    return _held(asked(server, lease_file.BREAK, file_of(server, app), _line(who())))


def file_of(server: Server, app: str) -> PurePosixPath:
    return AppFolder(server.facts.home, app).lease


def _acquired(server: Server, app: str, purpose: str, claim: str) -> int | State:
    """Give the token; where somebody else holds it, the state that says who."""
    file = file_of(server, app)
    ask = partial(asked, server, lease_file.ACQUIRE, file, str(TTL), _line(who()), purpose, claim)
    answer: Future[Result] = Future()
    try:
        done = begun(ask, "lease", answer).result()
    except KeyboardInterrupt:
        if not answer.cancel():
            answer.exception()  # the server may still give it: what it gives is released after that, and not before
            _release(server, file, claim)
        raise
    state = State.read(done.stdout)
    return state if done.exit_code == lease_file.REFUSED else state.token


def _release(server: Server, file: PurePosixPath, claim: str) -> None:
    with suppress(DeployError):  # it runs out by itself
        asked(server, lease_file.RELEASE, file, claim)


def _held(done: Result) -> State | None:
    state = State.read(done.stdout)
    return state if state.is_held else None


def _how_it_ended(state: State, token: int) -> str:
    if state.token == token and state.unlocked:
        return f"was taken away by {state.unlocked}"
    if state.token == token:
        return f"ended at {clock(state.expires)}, as nothing was heard of it for {TTL} s"
    return f"ended, and {state} holds it now" if state.is_held else "ended, and another run was there since"


def _clock() -> float:
    """Tell the time by a clock that goes on while this machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _line(text: str) -> str:
    """Make it one that the file can hold: short, and as many bytes as it has characters."""
    return _NOT_FOR_A_LINE.sub("?", text)[:100]
