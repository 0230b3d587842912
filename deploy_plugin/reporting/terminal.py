"""The steps as they go, and the recap, in pytest's terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from deploy_plugin.models import Outcome, Recap, Release, StepReport, Target

if TYPE_CHECKING:
    from pytest import TerminalReporter  # noqa: PT013 - only its type

    from deploy_plugin.steps.base import Step

_COLORS: Mapping[Outcome, Mapping[str, bool]] = {
    Outcome.OK: {"green": True},
    Outcome.CHANGED: {"yellow": True},
    Outcome.SKIPPED: {"cyan": True},
    Outcome.FAILED: {"red": True},
    Outcome.UNREACHABLE: {"red": True},
    Outcome.RESCUED: {"purple": True},
}
_OUTCOME_WIDTH = max(map(len, Outcome))


class StepLines:
    """A line for each step: written when it ends, and, on a terminal, shown while it runs."""

    def __init__(self, terminal: TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_deploy_step_started(self, step: Step) -> None:
        if self._terminal.isatty and self._terminal.hasmarkup:
            self._terminal.rewrite(f"{'…':>{_OUTCOME_WIDTH}}  {step.title}", erase=True)

    def pytest_deploy_step_finished(self, report: StepReport) -> None:
        if self._terminal.isatty and self._terminal.hasmarkup:
            self._terminal.rewrite("", erase=True)
            self._terminal.rewrite("")  # erasing leaves the cursor at the right edge
        _write_step(self._terminal, report)

    def pytest_deploy_release_chosen(self, release: Release) -> None:
        commit = f", commit {release.commit[:7]}{release.commit[40:]}" if release.commit else ""
        self._terminal.write_line(f"{'':>{_OUTCOME_WIDTH}}  release {release.id}{commit}")


def write_title(terminal: TerminalReporter, title: str) -> None:
    terminal.ensure_newline()
    terminal.write_sep("=", title, bold=True)


def write_recap(terminal: TerminalReporter, target: Target, release: Release | None, recap: Recap) -> None:
    """Write Ansible's PLAY RECAP line, and where the site is."""
    terminal.write_sep("=", "deploy recap", bold=True)
    counts = ((outcome, f"{outcome}={recap.count(outcome)}") for outcome in Outcome)
    terminal.write(f"{target.name} : ")
    for outcome, text in counts:
        terminal.write(f"{text} ", **(_COLORS[outcome] if recap.count(outcome) else {}))
    terminal.line(f"in {recap.seconds:.1f}s")
    if release:
        terminal.write_line(f"release {release.id} of {target.name}: {target.url}")


def _write_step(terminal: TerminalReporter, report: StepReport) -> None:
    terminal.write(f"{report.outcome:>{_OUTCOME_WIDTH}}", **_COLORS[report.outcome])
    reason = f": {report.reason}" if report.reason else ""
    terminal.line(f"  {report.title}{reason} ({report.seconds:.1f}s)")
