from __future__ import annotations

import io
import re
import time
from types import SimpleNamespace
from typing import cast

import pytest

from deploy_plugin.models import Outcome, Recap, Release, StepReport
from deploy_plugin.reporting import terminal
from deploy_plugin.reporting.spinner import Pace
from deploy_plugin.runner import Runner
from deploy_plugin.server.base import Shipping
from deploy_plugin.steps.gather_facts import GatherFacts
from tests.site import TARGET

RELEASE = Release("20261124-031205-1a2b3c4", "1a2b3c4" + "0" * 33 + "+changes", "superlists:abc")


class Written:
    """A terminal reporter whose output can be read."""

    def __init__(self, config: pytest.Config, monkeypatch: pytest.MonkeyPatch, *, isatty: bool) -> None:
        self.stream = io.StringIO()
        self.stream.isatty = lambda: isatty  # type: ignore[method-assign]
        self.reporter = pytest.TerminalReporter(config, self.stream)
        self.reporter._tw.hasmarkup = isatty  # noqa: SLF001 - pytest has no other way to it
        self.reporter._tw.fullwidth = 80  # noqa: SLF001
        self.monkeypatch = monkeypatch
        self.be(verbosity=0)

    def be(self, *, verbosity: int) -> None:
        """Let it be as wordy as the options ask for."""
        self.monkeypatch.setattr(pytest.TerminalReporter, "verbosity", verbosity)

    def lines(self) -> list[str]:
        """The lines that stay, without colours."""
        return [line.rpartition("\r")[2] for line in re.sub(r"\x1b\[\d*m", "", str(self)).split("\n")[:-1]]

    def __str__(self) -> str:
        return self.stream.getvalue()


class Sent:
    """What was sent so far, in bytes."""

    def __init__(self) -> None:
        self.bytes = 0

    def __call__(self) -> int:
        return self.bytes


def done(*steps: StepReport, release: Release | None = None, dry: bool = False) -> Runner:
    return cast("Runner", SimpleNamespace(recap=Recap(steps), release=release, dry=dry, error=None, afterwards=[]))


@pytest.fixture
def plain(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Written:
    return Written(pytestconfig, monkeypatch, isatty=False)


@pytest.fixture
def colored(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Written:
    return Written(pytestconfig, monkeypatch, isatty=True)


def test_a_step_is_one_line_with_its_reason_and_its_time(plain: Written) -> None:
    lines = terminal.StepLines(plain.reporter, Sent())
    lines.pytest_deploy_step_started(GatherFacts())
    lines.pytest_deploy_step_finished(StepReport("Migrate", Outcome.CHANGED, 1.25, "two not applied yet"))
    lines.pytest_deploy_step_finished(StepReport("Switch", Outcome.OK, 0.0))
    assert str(plain).splitlines() == [
        "    changed  Migrate: two not applied yet (1.2s)",
        "         ok  Switch (0.0s)",
    ]


def test_on_a_terminal_a_step_shows_while_it_runs(colored: Written) -> None:
    lines = terminal.StepLines(colored.reporter, Sent())
    lines.pytest_deploy_step_started(GatherFacts())
    lines.pytest_deploy_step_finished(StepReport("Gather facts", Outcome.OK, 0.2))
    assert "Gather facts | 0s" in str(colored)


def test_on_a_terminal_the_line_that_stays_begins_at_the_left(colored: Written) -> None:
    lines = terminal.StepLines(colored.reporter, Sent())
    lines.pytest_deploy_step_started(GatherFacts())
    lines.pytest_deploy_step_finished(StepReport("Gather facts", Outcome.OK, 0.2))
    assert colored.lines() == ["         ok  Gather facts (0.2s)"]


def test_the_release_is_named_when_it_is_chosen_and_shows_uncommitted_changes(plain: Written) -> None:
    terminal.StepLines(plain.reporter, Sent()).pytest_deploy_release_chosen(RELEASE)
    assert str(plain).strip() == "release 20261124-031205-1a2b3c4, commit 1a2b3c4+changes"


def test_a_release_outside_of_git_names_no_commit(plain: Written) -> None:
    terminal.StepLines(plain.reporter, Sent()).pytest_deploy_release_chosen(
        Release("20261124-031205-abcdef0", "", "a:b")
    )
    assert str(plain).strip() == "release 20261124-031205-abcdef0"


def test_the_recap_counts_every_outcome_in_ansibles_words(plain: Written) -> None:
    steps = (StepReport("a", Outcome.OK, 1.0), StepReport("b", Outcome.CHANGED, 0.5), StepReport("c", Outcome.OK, 0.5))
    terminal.write_recap(plain.reporter, TARGET, done(*steps, release=RELEASE))
    _headline, counts, where = str(plain).strip().splitlines()
    assert counts == "staging : ok=2 changed=1 skipped=0 failed=0 unreachable=0 rescued=0 in 2.0s"
    assert where == f"release {RELEASE.id} of staging: http://staging.example.com:8080"


def test_a_recap_without_a_release_names_none(plain: Written) -> None:
    terminal.write_recap(plain.reporter, TARGET, done(StepReport("a", Outcome.UNREACHABLE, 1.0)))
    assert "unreachable=1" in str(plain)
    assert "release" not in str(plain)


def test_a_plan_says_that_nothing_was_changed_and_names_no_url(plain: Written) -> None:
    terminal.write_recap(plain.reporter, TARGET, done(StepReport("a", Outcome.CHANGED, 1.0), release=RELEASE, dry=True))
    assert "deploy plan: nothing was changed" in str(plain)
    assert TARGET.url not in str(plain)


def test_what_was_sent_is_said_with_its_rate(plain: Written) -> None:
    sent = Sent()
    lines = terminal.StepLines(plain.reporter, sent)
    lines.pytest_deploy_step_started(GatherFacts())
    sent.bytes = 56_200_000
    lines.pytest_deploy_step_finished(StepReport("Ship image", Outcome.CHANGED, 2.0))
    assert re.fullmatch(r"    changed  Ship image \(56\.2 MB at \d+\.\d MB/s, 2\.0s\)", plain.lines()[0])


def test_an_image_on_its_way_shows_its_layers_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now, sent, shipping = [100.0], Sent(), [Shipping(layers=5, size=150_000_000)]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pace = Pace(sent, lambda: shipping[0])
    assert str(pace) == "layer 1 of 5, "
    now[0], sent.bytes = 110.0, 20_000_000
    shipping[0] = Shipping(layers=5, layers_done=1, size=150_000_000, done=50_000_000)
    assert str(pace) == "layer 2 of 5, 20.0 MB at 2.0 MB/s, 20s left, "
    shipping[0] = Shipping(layers=5, layers_done=5, done=50_000_000)
    assert str(pace) == "layer 5 of 5, 20.0 MB at 2.0 MB/s, "


@pytest.mark.parametrize(("verbosity", "length"), [(0, 80), (1, 300)])
def test_a_line_is_cut_to_the_terminal_but_not_when_asked_to_be_verbose(
    colored: Written, verbosity: int, length: int
) -> None:
    colored.be(verbosity=verbosity)
    lines = terminal.StepLines(colored.reporter, Sent())
    lines.pytest_deploy_step_finished(StepReport("Migrate", Outcome.CHANGED, 1.0, "x" * 208))
    (line,) = colored.lines()
    assert len(line) <= length
    assert line.endswith("... (1.0s)" if verbosity == 0 else "x (1.0s)")


def test_in_a_file_no_line_is_cut(plain: Written) -> None:
    terminal.StepLines(plain.reporter, Sent()).pytest_deploy_step_finished(StepReport("a", Outcome.OK, 1.0, "x" * 200))
    assert "x" * 200 in str(plain)


def test_a_narrow_terminal_still_shows_what_became_of_it(colored: Written) -> None:
    colored.reporter._tw.fullwidth = 20  # noqa: SLF001
    lines = terminal.StepLines(colored.reporter, Sent())
    lines.pytest_deploy_step_started(GatherFacts())
    lines.pytest_deploy_step_finished(StepReport("Gather facts", Outcome.OK, 0.2))
    assert colored.lines()[0].startswith("         ok...")


def test_quiet_shows_only_what_failed(plain: Written) -> None:
    plain.be(verbosity=-1)
    lines = terminal.StepLines(plain.reporter, Sent())
    terminal.write_title(plain.reporter, "deploy to staging")
    lines.pytest_deploy_release_chosen(RELEASE)
    lines.pytest_deploy_step_started(GatherFacts())
    lines.pytest_deploy_step_finished(StepReport("Gather facts", Outcome.OK, 0.2))
    lines.pytest_deploy_step_finished(StepReport("Migrate", Outcome.FAILED, 0.2, "no"))
    assert plain.lines() == ["     failed  Migrate: no (0.2s)"]


def test_without_colours_the_cursor_stays_where_it_is(colored: Written) -> None:
    colored.reporter.hasmarkup = colored.reporter._tw.hasmarkup = False  # noqa: SLF001 - NO_COLOR, TERM=dumb
    lines = terminal.StepLines(colored.reporter, Sent())
    lines.pytest_deploy_step_started(GatherFacts())
    lines.pytest_deploy_step_finished(StepReport("Gather facts", Outcome.OK, 0.2))
    assert str(colored) == "         ok  Gather facts (0.2s)\n"
