"""Run steps: look, act where something is missing, say what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from deploy_plugin.ahead import Ahead
from deploy_plugin.downtime import Downtime
from deploy_plugin.errors import DeployError, NotYetKnown, Unreachable
from deploy_plugin.fence import fenced
from deploy_plugin.models import Outcome, Recap, Release, StepReport
from deploy_plugin.redaction import Redactor
from deploy_plugin.server.seen import behind, unseen

if TYPE_CHECKING:
    from deploy_plugin.door import Door
    from deploy_plugin.lease import Lease
    from deploy_plugin.records import Record
    from deploy_plugin.server.base import Server
    from deploy_plugin.steps.base import Step
    from deploy_plugin.steps.take_back import TakeBack


class Hooks(Protocol):
    """Those of ``hookspecs.py`` that a run calls, by keyword: ``config.hook`` of a pytest run has them all."""

    @property
    def pytest_deploy_steps(self) -> Callable[..., object]: ...

    @property
    def pytest_deploy_release_chosen(self) -> Callable[..., object]: ...

    @property
    def pytest_deploy_step_started(self) -> Callable[..., object]: ...

    @property
    def pytest_deploy_step_finished(self) -> Callable[..., object]: ...


class Runner:
    """Runs steps on one server, and keeps what became of each.

    With ``dry`` it only lets them look: ``changed`` then says what would change, and ``skipped`` what can't be known.
    """

    def __init__(self, server: Server, hooks: Hooks, *, dry: bool = False, redactor: Redactor | None = None) -> None:
        self._server = server
        self.hooks = hooks
        self.dry = dry
        self.redactor = redactor or Redactor()
        """Learns the secrets of the run; what is reported of a step is without them."""
        self._reports: list[StepReport] = []
        self.release: Release | None = None
        self.error: DeployError | None = None
        self.lease: Lease | None = None
        """Held from before the first change until the run ends; a plan, and a run without a deploy, hold none."""
        self.notes: list[str] = []
        """What else there is to say of the run, a line each."""
        self.afterwards: list[str] = []
        """What there is to say when the release stays, a line each."""
        self.way_back: TakeBack | None = None
        """How to take back what was deployed; None before anything was."""
        self.record: Record | None = None
        """Of the release that is deployed; None where another deployer keeps none."""
        self.downtime = Downtime()
        """What becomes of the one that was allowed."""
        self.door: Door | None = None
        """Where tests reach the site during one."""

    def choose(self, release: Release) -> None:
        self.release = release
        self.hooks.pytest_deploy_release_chosen(release=release)

    @property
    def recap(self) -> Recap:
        return Recap(tuple(self._reports))

    def run(self, steps: Iterable[Step], server: Server | None = None, *, changed: Outcome = Outcome.CHANGED) -> None:
        """Run them in order, on the runner's server if no other; the first that fails ends it, with its own error.

        ``changed`` is the outcome of one that had something to do.
        """
        server = server or self._server
        queue = list(steps)
        ahead: dict[int, Ahead] = {}
        try:
            for number, step in enumerate(queue):
                self._run(step, server, changed, ahead.get(number))
                for later in range(number + 2, len(queue) * (not self.dry)):
                    if isinstance(step, getattr(queue[later], "after", ())):
                        ahead[later] = Ahead(queue[later], behind(server), self.for_changes)
        finally:
            for one in ahead.values():
                one.stop()

    def for_changes(self, server: Server | None = None) -> Server:
        """Give the server (the runner's, if no other) to change something there; ``LeaseLost`` once the lease is."""
        server = unseen(server or self._server)
        if self.lease is None:
            return server
        self.lease.require()
        return fenced(server, self.lease)

    def release_lease(self) -> None:
        """Let others change something there; where the lease is lost, nothing happens."""
        if self.lease:
            self.lease.release()

    def close_door(self) -> None:
        """Let no test come in any more while visitors can't."""
        if self.door:
            self.door.close()
            self.door = None

    @property
    def would_change(self) -> bool:
        """Whether a plan has met anything that is missing."""
        return self.dry and self.recap.count(Outcome.CHANGED) > 0

    def _run(self, step: Step, server: Server, changed: Outcome, ahead: Ahead | None) -> None:
        start = time.monotonic()
        try:
            self.hooks.pytest_deploy_step_started(step=step)
            reason = self._done(step, server, ahead)
            outcome = Outcome.OK if reason is None else changed
        except NotYetKnown as unknown:
            # A deploy does what comes before, so it must know: what is passed over here would be missing from there on.
            outcome, reason = Outcome.SKIPPED if self.dry else Outcome.FAILED, f"not known yet: {unknown}"
            if not self.dry:
                raise
        except BaseException as error:
            self.redactor.redact_error(error)
            outcome = Outcome.UNREACHABLE if isinstance(error, Unreachable) else Outcome.FAILED
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise
        finally:
            reason = reason and self.redactor.redact(reason)
            report = StepReport(step.title, outcome, time.monotonic() - start, reason)
            self._reports.append(report)
            self.hooks.pytest_deploy_step_finished(step=step, report=report)

    def _done(self, step: Step, server: Server, ahead: Ahead | None) -> str | None:
        if ahead and ahead.wait():
            if ahead.reason is not None:
                unseen(server)
            return ahead.reason
        reason = step.check(server)
        if reason is not None and not self.dry:
            reason = step.apply(self.for_changes(server)) or reason
        return reason
