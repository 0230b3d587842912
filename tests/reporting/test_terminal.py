from __future__ import annotations

import io
import re

import pytest

from deploy_plugin.models import Outcome, Recap, Release, StepReport
from deploy_plugin.reporting import terminal
from deploy_plugin.steps.gather_facts import GatherFacts
from tests.site import TARGET

RELEASE = Release("20261124-031205-1a2b3c4", "1a2b3c4" + "0" * 33 + "+changes", "superlists:abc")


class Written:
    """A terminal reporter whose output can be read."""

    def __init__(self, config: pytest.Config, *, isatty: bool) -> None:
        self.stream = io.StringIO()
        self.stream.isatty = lambda: isatty  # type: ignore[method-assign]
        self.reporter = pytest.TerminalReporter(config, self.stream)
        self.reporter._tw.hasmarkup = isatty  # noqa: SLF001 - pytest has no other way to it

    def __str__(self) -> str:
        return self.stream.getvalue()


@pytest.fixture
def plain(pytestconfig: pytest.Config) -> Written:
    return Written(pytestconfig, isatty=False)


@pytest.fixture
def colored(pytestconfig: pytest.Config) -> Written:
    return Written(pytestconfig, isatty=True)


def test_a_step_is_one_line_with_its_reason_and_its_time(plain: Written) -> None:
    lines = terminal.StepLines(plain.reporter)
    lines.pytest_deploy_step_started(GatherFacts())
    lines.pytest_deploy_step_finished(StepReport("Migrate", Outcome.CHANGED, 1.25, "two not applied yet"))
    lines.pytest_deploy_step_finished(StepReport("Switch", Outcome.OK, 0.0))
    assert str(plain).splitlines() == [
        "    changed  Migrate: two not applied yet (1.2s)",
        "         ok  Switch (0.0s)",
    ]


def test_on_a_terminal_a_step_shows_while_it_runs(colored: Written) -> None:
    lines = terminal.StepLines(colored.reporter)
    lines.pytest_deploy_step_started(GatherFacts())
    assert "Gather facts" in str(colored)
    assert "\n" not in str(colored)


def test_on_a_terminal_the_line_that_stays_begins_at_the_left(colored: Written) -> None:
    lines = terminal.StepLines(colored.reporter)
    lines.pytest_deploy_step_started(GatherFacts())
    lines.pytest_deploy_step_finished(StepReport("Gather facts", Outcome.OK, 0.2))
    assert re.sub(r"\x1b\[\d*m", "", str(colored)).rpartition("\r")[2] == "         ok  Gather facts (0.2s)\n"


def test_the_release_is_named_when_it_is_chosen_and_shows_uncommitted_changes(plain: Written) -> None:
    terminal.StepLines(plain.reporter).pytest_deploy_release_chosen(RELEASE)
    assert str(plain).strip() == "release 20261124-031205-1a2b3c4, commit 1a2b3c4+changes"


def test_a_release_outside_of_git_names_no_commit(plain: Written) -> None:
    terminal.StepLines(plain.reporter).pytest_deploy_release_chosen(Release("20261124-031205-abcdef0", "", "a:b"))
    assert str(plain).strip() == "release 20261124-031205-abcdef0"


def test_the_recap_counts_every_outcome_in_ansibles_words(plain: Written) -> None:
    steps = (StepReport("a", Outcome.OK, 1.0), StepReport("b", Outcome.CHANGED, 0.5), StepReport("c", Outcome.OK, 0.5))
    terminal.write_recap(plain.reporter, TARGET, RELEASE, Recap(steps))
    _headline, counts, where = str(plain).strip().splitlines()
    assert counts == "staging : ok=2 changed=1 skipped=0 failed=0 unreachable=0 rescued=0 in 2.0s"
    assert where == f"release {RELEASE.id} of staging: http://staging.example.com:8080"


def test_a_recap_without_a_release_names_none(plain: Written) -> None:
    terminal.write_recap(plain.reporter, TARGET, None, Recap((StepReport("a", Outcome.UNREACHABLE, 1.0),)))
    assert "unreachable=1" in str(plain)
    assert "release" not in str(plain)
