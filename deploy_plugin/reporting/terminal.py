"""The steps as they go, and the recap, in pytest's terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from deploy_plugin.models import Outcome, Release, StepReport, Target
from deploy_plugin.reporting.spinner import Pace, Spinner

if TYPE_CHECKING:
    from pytest import TerminalReporter  # noqa: PT013 - only its type

    from deploy_plugin.runner import Runner
    from deploy_plugin.server.base import Shipping
    from deploy_plugin.steps.base import Step

_COLORS: Mapping[Outcome, Mapping[str, bool]] = {
    Outcome.OK: {"green": True},
    Outcome.CHANGED: {"yellow": True},
    Outcome.SKIPPED: {"cyan": True},
    Outcome.FAILED: {"red": True},
    Outcome.UNREACHABLE: {"red": True},
    Outcome.RESCUED: {"purple": True},
}
_MARGIN = max(map(len, Outcome))
_ALWAYS_SHOWN = frozenset((Outcome.FAILED, Outcome.UNREACHABLE))


class StepLines:
    """A line for each step: written when it ends, and, on a terminal, alive while it runs.

    With ``-q`` only what failed has one; on a terminal a line is cut to its width, but not with ``-v``.
    """

    def __init__(
        self,
        terminal: TerminalReporter,
        sent: Callable[[], int],
        shipping: Callable[[], Shipping | None] = lambda: None,
    ) -> None:
        self._terminal = terminal
        self._sent, self._shipping = sent, shipping
        self._pace = Pace(sent, shipping)
        self._spinner: Spinner | None = None

    def pytest_deploy_step_started(self, step: Step) -> None:
        self._pace = Pace(self._sent, self._shipping)
        if self._is_alive:
            self._spinner = Spinner(self._terminal, f"{'':>{_MARGIN}}  {step.title}", self._pace)

    def pytest_deploy_step_finished(self, report: StepReport) -> None:
        if self._spinner:
            self._spinner.stop()
            self._spinner = None
        if self._terminal.verbosity >= 0 or report.outcome in _ALWAYS_SHOWN:
            self._write(report)

    def pytest_deploy_release_chosen(self, release: Release) -> None:
        if self._terminal.verbosity >= 0:
            commit = f", commit {release.commit[:7]}{release.commit[40:]}" if release.commit else ""
            self._terminal.write_line(f"{'':>{_MARGIN}}  release {release.id}{commit}")

    @property
    def _is_alive(self) -> bool:
        # Without markup (NO_COLOR, TERM=dumb) the cursor stays where it is, too.
        return bool(self._terminal.isatty) and self._terminal.hasmarkup and self._terminal.verbosity >= 0

    def _write(self, report: StepReport) -> None:
        took = f"{self._pace}{report.seconds:.1f}s"
        reason, *more = (report.reason or "").splitlines() or [""]
        what = f"  {report.title}{f': {reason}' if reason else ''}"
        if self._terminal.isatty and self._terminal.verbosity <= 0:
            what = _cut(what, self._terminal._tw.fullwidth - _MARGIN - len(took) - 4)  # noqa: SLF001 - no other way to it
        self._terminal.write(f"{report.outcome:>{_MARGIN}}", **_COLORS[report.outcome])
        self._terminal.line(f"{what} ({took})")
        for line in more:
            self._terminal.line(f"{'':>{_MARGIN}}    {line}")


def write_title(terminal: TerminalReporter, title: str) -> None:
    if terminal.verbosity >= 0:
        terminal.ensure_newline()
        terminal.write_sep("=", title, bold=True)


def write_recap(terminal: TerminalReporter, target: Target, done: Runner, said: str = "") -> None:
    """Write the counts once more, below the tests, and where the site is; of a plan, what would be."""
    terminal.write_sep("=", "deploy plan: nothing was changed" if done.dry else "deploy recap", bold=True)
    write_counts(terminal, target, done)
    if said:
        terminal.write_line(said, yellow=True)
    for line in done.afterwards:
        terminal.write_line(line)
    if done.release and not done.dry and not done.error and not done.recap.count(Outcome.RESCUED):
        terminal.write_line(f"release {done.release.id} of {target.name}: {target.url}")


def write_counts(terminal: TerminalReporter, target: Target, done: Runner) -> None:
    """Write the line of Ansible's PLAY RECAP."""
    terminal.write(f"{target.name} : ")
    for outcome in Outcome:
        count = done.recap.count(outcome)
        terminal.write(f"{outcome}={count} ", **(_COLORS[outcome] if count else {}))
    terminal.line(f"in {done.recap.seconds:.1f}s")


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 3, 0)] + "..."
