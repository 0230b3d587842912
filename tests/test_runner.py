from __future__ import annotations

from dataclasses import dataclass

import pytest

from deploy_plugin.errors import NotYetKnown, StepFailed, Unreachable
from deploy_plugin.models import Outcome, Release
from deploy_plugin.runner import Runner
from deploy_plugin.server.base import Server
from deploy_plugin.testing import FakeServer
from tests.listener import Told


@dataclass
class Wash:
    """A step that fails as it is told to."""

    title: str
    missing: str | None = None
    fails: BaseException | None = None
    applied: int = 0

    def check(self, server: Server) -> str | None:  # noqa: ARG002
        return self.missing

    def apply(self, server: Server) -> None:  # noqa: ARG002
        if self.fails:
            raise self.fails
        self.applied += 1


def test_a_step_with_nothing_missing_is_ok_and_not_applied(runner: Runner) -> None:
    step = Wash("Wash")
    runner.run([step])
    (report,) = runner.recap.steps
    assert (report.title, report.outcome, report.reason, step.applied) == ("Wash", Outcome.OK, None, 0)


def test_a_step_with_something_missing_is_applied_and_says_what_it_was(runner: Runner) -> None:
    step = Wash("Wash", missing="it is dirty")
    runner.run([step])
    (report,) = runner.recap.steps
    assert (report.outcome, report.reason, step.applied) == (Outcome.CHANGED, "it is dirty", 1)


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (StepFailed("No water.", got="dry", hint="Turn it on."), Outcome.FAILED, "No water."),
        (Unreachable("It broke."), Outcome.UNREACHABLE, "It broke."),
        (ValueError("a bug"), Outcome.FAILED, "a bug"),
        (KeyboardInterrupt(), Outcome.FAILED, "KeyboardInterrupt"),
    ],
)
def test_the_first_step_that_fails_ends_the_run_and_is_reported(
    runner: Runner, told: Told, error: BaseException, outcome: Outcome, reason: str
) -> None:
    after = Wash("After", missing="x")
    with pytest.raises(type(error)) as caught:
        runner.run([Wash("Before"), Wash("Wash", missing="x", fails=error), after])
    assert caught.value is error
    assert [(step.outcome, step.reason) for step in runner.recap.steps] == [(Outcome.OK, None), (outcome, reason)]
    assert after.applied == 0
    assert told.events == ["start Before", "finish Before ok", "start Wash", f"finish Wash {outcome}"]


@dataclass
class Waits(Wash):
    """A step that can't say what it would find."""

    def check(self, server: Server) -> str | None:  # noqa: ARG002
        raise NotYetKnown("there is no water yet")


def test_what_is_not_known_is_passed_over_by_a_plan_and_ends_a_deploy(server: FakeServer, told: Told) -> None:
    plan, deploy = Runner(server, told, dry=True), Runner(server, told)
    plan.run([Waits("Wash"), Wash("After")])
    with pytest.raises(NotYetKnown):
        deploy.run([Waits("Wash"), Wash("After")])
    assert [step.outcome for step in plan.recap.steps] == [Outcome.SKIPPED, Outcome.OK]
    assert [step.outcome for step in deploy.recap.steps] == [Outcome.FAILED]


def test_a_chosen_release_is_kept_and_told(runner: Runner, told: Told) -> None:
    release = Release("r1", "", "a:b")
    runner.choose(release)
    assert runner.release is release
    assert told.events == ["release r1"]
