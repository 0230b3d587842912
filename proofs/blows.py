"""A run is struck, the site is looked at, the next deploy has to succeed, and the site is looked at again."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from proofs import aims
from proofs.aims import DEPLOY, DOWNTIME, ROLLBACK, Aim, Struck
from proofs.site import Ended, Found, NotTrue, Site
from proofs.visitors import CLOSED, Visitors

WAIT = "--deploy-wait=90"
ALLOWED = "--deploy-downtime"
SHOWN = 3000
CONFIRM, OPENS = 20, 30
"""Seconds without a word after which the server opens a site that a run left closed, and that this takes at most."""


@dataclass(frozen=True, slots=True)
class Blow:
    """One run that was struck, what was true then, and after the next deploy."""

    number: int
    what: str
    """What happened to it."""
    aim: str
    migrates: bool
    place: str
    """Where the run really was."""
    after: float
    """Seconds since it was there."""
    ended: int
    """The struck run's exit code: -9 where it was killed."""
    found: Found
    """Right after that, or as soon as the site could answer again."""
    waited: bool
    """Whether the next deploy waited for the lease of the struck run, and for the server to open a site that it left
    closed; else the lease was taken away."""
    same: bool
    """Whether the next deploy was of the same tree."""
    exit_code: int
    """The next deploy's."""
    then: Found
    """After that."""
    failed: int
    """Requests that failed, from before the struck run until then; the maintenance page of a downtime is no failure."""
    away: float
    """Seconds from the first of them to the last."""
    left: str
    """What is still there that only a deploy leaves which did not end."""
    said: str = ""
    """What the deploys said, where something is wrong."""
    run: str = DEPLOY
    """What was struck."""
    closed: int = 0
    """Requests that got the maintenance page, where a downtime was allowed."""

    @property
    def is_well(self) -> bool:
        return self.found.is_well and self.then.is_well and not (self.exit_code or self.left)


@dataclass(frozen=True, slots=True)
class Next:
    """How the next deploy is made."""

    waits: bool = True
    same: bool = False


def no_mending() -> None:
    """Nothing is to be put right before the next deploy."""


@dataclass(frozen=True, slots=True)
class Blows:
    """Are dealt to one site while visitors come."""

    site: Site
    visitors: Visitors
    mend: Callable[[], object] = no_mending
    """Puts right what was done to the server, once the struck deploy has ended."""
    patience: float = 0
    """Seconds that the site may take then to answer again."""

    def strike(self, number: int, aim: Aim, following: Next) -> Blow | None:
        """Strike one run, look, deploy again, look again; None where the run had ended before.

        A site that it left closed is opened by the server itself, where the next deploy waits, or else by that.
        """
        site, downtime = self.site, aim.run == DOWNTIME
        before = self._prepare(aim)
        aims.take(aim, site.project.folder)
        allowed = [ALLOWED] if downtime else []
        run = site.roll_back() if aim.run == ROLLBACK else site.deploy(*allowed)
        struck = aims.release(site.project.folder)
        if struck is None:
            return None
        self.mend()
        site.await_answer(CONFIRM + OPENS if downtime and following.waits else self.patience)
        found = None if downtime and not following.waits and site.is_closed() else self._look()
        if not following.same:
            site.change()
        if not following.waits:
            site.command("unlock", site.server.target)
        again = site.deploy(*allowed, *([WAIT] if following.waits else []))
        return self._blow(number, aim, struck, following, found, before, [run, again])

    def _prepare(self, aim: Aim) -> int:
        """Make the change that is deployed, or the release that is gone back from; give how much was asked before."""
        before = len(self.visitors.requests)
        self.site.change(migrates=aim.migrates, closes=aim.run == DOWNTIME)
        if aim.run == ROLLBACK:
            self.site.deploy().require(0)
        return before

    def freeze(self, number: int, aim: Aim) -> Blow:
        """Let one deploy stand still past its lease, while another checkout deploys; thawed, it must change nothing."""
        site, before = self.site, len(self.visitors.requests)
        site.change(migrates=aim.migrates)
        aims.take(aim, site.project.folder)
        running = site.start()
        os.waitpid(running.process.pid, os.WUNTRACED)
        struck = aims.release(site.project.folder)
        if struck is None:
            raise NotTrue(f"the deploy did not stand still {aim}:\n{running.end().output}")
        other = site.copy(site.project.folder.parent / f"other-{number}")
        other.change()
        try:
            other.deploy(WAIT).require(0)
            found, there = self._look(), _there(site)
        finally:
            running.process.send_signal(signal.SIGCONT)
            thawed = running.end()
        changed = "" if _there(site) == there else "the thawed run changed something"
        shutil.rmtree(other.project.folder)
        site.changes = other.changes
        site.change()
        again = site.deploy(WAIT)
        return self._blow(number, aim, struck, Next(), found, before, [thawed, again], left=changed)

    def _blow(  # noqa: PLR0913, PLR0917 - all that is known of one
        self,
        number: int,
        aim: Aim,
        struck: Struck,
        following: Next,
        found: Found | None,
        before: int,
        runs: Sequence[Ended],
        left: str = "",
    ) -> Blow:
        run, again = runs
        then = self._look()
        told = [request for request in self.visitors.requests[before:] if request.failure]
        closed = [request for request in told if aim.run == DOWNTIME and request.failure == CLOSED]
        failures = [request for request in told if request not in closed]
        times = [moment for one in failures for moment in (one.due, one.due + one.took)]
        blow = Blow(
            number=number,
            what=aim.what,
            aim=str(aim),
            migrates=aim.migrates,
            place=struck.place,
            after=struck.after,
            ended=run.exit_code,
            found=found or then,
            waited=following.waits,
            same=following.same,
            exit_code=again.exit_code,
            then=then,
            failed=len(failures),
            away=round(max(times) - min(times), 2) if times else 0,
            left=left or self.site.left(),
            run=aim.run,
            closed=len(closed),
        )
        if blow.is_well:
            return blow
        seen = [f"{one.kind} at {one.due:.2f} s: {one.failure}" for one in failures[:10]]
        return replace(blow, said="\n".join([*(run.output[-SHOWN:] for run in runs), *seen]))

    def _look(self) -> Found:
        return self.site.look([*self.visitors.acknowledged])


def _there(site: Site) -> list[str]:
    """Tell what the thawed run must not change: where visitors go, and every file but those that visitors change."""
    files = site.server.files().splitlines()
    return [site.server.serving(), *(line for line in files if "/superlists/data" not in line)]
