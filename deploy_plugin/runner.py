"""Run steps: look, act where something is missing, say what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from deploy_plugin.errors import DeployError, Unreachable
from deploy_plugin.models import Outcome, Recap, Release, StepReport

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server
    from deploy_plugin.steps.base import Step


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
    """Runs steps on one server, and keeps what became of each."""

    def __init__(self, server: Server, hooks: Hooks) -> None:
        self._server = server
        self.hooks = hooks
        self._reports: list[StepReport] = []
        self.release: Release | None = None
        self.error: DeployError | None = None

    def choose(self, release: Release) -> None:
        self.release = release
        self.hooks.pytest_deploy_release_chosen(release=release)

    @property
    def recap(self) -> Recap:
        return Recap(tuple(self._reports))

    def run(self, steps: Iterable[Step]) -> None:
        """Run them in order; the first that fails ends it, reported, with its own error."""
        for step in steps:
            self._run(step)

    def _run(self, step: Step) -> None:
        self.hooks.pytest_deploy_step_started(step=step)
        start = time.monotonic()
        try:
            reason = step.check(self._server)
            if reason is not None:
                step.apply(self._server)
            outcome = Outcome.OK if reason is None else Outcome.CHANGED
        except BaseException as error:
            outcome = Outcome.UNREACHABLE if isinstance(error, Unreachable) else Outcome.FAILED
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise
        finally:
            report = StepReport(step.title, outcome, time.monotonic() - start, reason)
            self._reports.append(report)
            self.hooks.pytest_deploy_step_finished(step=step, report=report)
