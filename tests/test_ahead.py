"""A step that is begun before its turn, because what it needs is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import ClassVar

import pytest

from deploy_plugin.errors import LeaseLost, StepFailed
from deploy_plugin.lease import acquire, take_away
from deploy_plugin.models import Outcome
from deploy_plugin.runner import Runner
from deploy_plugin.server.aside import Stopped
from deploy_plugin.server.base import Server, Shipping
from deploy_plugin.testing import FakeServer
from tests.listener import Told
from tests.waiting import until

SECONDS = 30


@dataclass
class Does:
    """A step that does what it is told to."""

    title: str
    act: Callable[[Server], str | None] = lambda _: None
    missing: str | None = "it is not there"
    threads: list[str] = field(default_factory=list)
    """In which it was done."""

    def check(self, server: Server) -> str | None:  # noqa: ARG002 - it is told
        self.threads.append(threading.current_thread().name)
        return self.missing

    def apply(self, server: Server) -> str | None:
        return self.act(server)


class First(Does):
    """What the other one needs."""


class Later(Does):
    """One that can be done before its turn."""

    after: ClassVar = First


def test_it_is_done_beside_those_before_it_and_reported_at_its_turn(runner: Runner, told: Told) -> None:
    met = threading.Barrier(2, timeout=SECONDS)
    between = Does("Between", lambda _: str(met.wait() in {0, 1}))
    later = Later("Later", lambda _: f"met {met.wait() in {0, 1}}")

    runner.run([First("First"), between, later, Does("Last")])

    assert [step.reason for step in runner.recap.steps][1:3] == ["True", "met True"]
    assert later.threads == ["ahead: Later"]
    finished = [event for event in told.events if event.startswith("finish")]
    assert finished == [f"finish {title} changed" for title in ("First", "Between", "Later", "Last")]
    assert told.events.index("start Later") > told.events.index("finish Between changed")


def test_where_nothing_was_missing_it_is_ok(runner: Runner) -> None:
    later = Later("Later", missing=None)
    runner.run([First("First"), Does("Between"), later])
    assert runner.recap.steps[-1].outcome is Outcome.OK
    assert later.threads == ["ahead: Later"]


def test_the_next_one_is_just_done(runner: Runner) -> None:
    later = Later("Later")
    runner.run([First("First"), later])
    assert later.threads == ["MainThread"]


def test_what_it_needs_has_to_be_done_in_the_same_run(runner: Runner) -> None:
    later = Later("Later")
    runner.run([Does("Other"), Does("Between"), later])
    assert later.threads == ["MainThread"]


class Careful(Later):
    """One that has to be asked."""

    may: ClassVar = True

    def may_begin(self, server: Server) -> bool:
        assert server.facts
        return self.may


class Never(Careful):
    """One that says no."""

    may: ClassVar = False


def test_one_that_says_that_it_is_too_early_is_done_at_its_turn(runner: Runner) -> None:
    never, careful = Never("Never"), Careful("Careful")
    runner.run([First("First"), Does("Between"), never, careful])
    assert never.threads == ["MainThread"]
    assert careful.threads == ["ahead: Careful"]


def test_a_plan_begins_nothing(server: FakeServer, told: Told) -> None:
    later = Later("Later")
    Runner(server, told, dry=True).run([First("First"), Does("Between"), later])
    assert later.threads == ["MainThread"]


def test_what_went_wrong_is_done_anew_at_its_turn(runner: Runner) -> None:
    errors = [StepFailed("Not yet.")]

    def act(_: Server) -> str:
        if errors:
            raise errors.pop()
        return "now"

    later = Later("Later", act)
    runner.run([First("First"), Does("Between"), later])
    assert runner.recap.steps[-1].reason == "now"
    assert later.threads == ["ahead: Later", "MainThread"]


def test_what_goes_wrong_again_ends_the_run_at_its_turn(runner: Runner) -> None:
    def act(_: Server) -> str:
        raise StepFailed("Never.")

    with pytest.raises(StepFailed, match="Never"):
        runner.run([First("First"), Does("Between"), Later("Later", act), Does("Last")])
    assert [step.outcome for step in runner.recap.steps] == [Outcome.CHANGED, Outcome.CHANGED, Outcome.FAILED]


@pytest.mark.parametrize("error", [StepFailed("It broke."), KeyboardInterrupt(), ValueError("a bug")])
def test_where_one_before_it_fails_it_changes_nothing_more(
    runner: Runner, server: FakeServer, error: BaseException
) -> None:
    runs, ended = threading.Event(), list[BaseException]()
    path = PurePosixPath(server.home / "too-late")

    def act(aside: Server) -> None:
        runs.set()
        try:
            until(lambda: not aside.run("sh", "-c", ":").ok)
            aside.write(path, b"x", mode=0o600)
        except Stopped as stopped:
            ended.append(stopped)
            raise

    def fail(_: Server) -> None:
        assert runs.wait(SECONDS)
        raise error

    with pytest.raises(type(error)) as caught:
        runner.run([First("First"), Does("Between", fail), Later("Later", act)])
    assert caught.value is error
    assert len(ended) == 1
    assert server.read(path) is None
    assert [step.title for step in runner.recap.steps] == ["First", "Between"]


def test_an_image_that_is_under_way_then_stops_in_the_middle(runner: Runner, server: FakeServer) -> None:
    begun, pieces = threading.Event(), list[bytes]()

    def endless() -> Iterator[bytes]:
        while True:
            begun.set()
            pieces.append(b"piece")
            yield pieces[-1]

    def fail(_: Server) -> None:
        assert begun.wait(SECONDS)
        raise StepFailed("It broke.")

    with pytest.raises(StepFailed, match="It broke"):
        runner.run([First("First"), Does("Between", fail), Later("Later", lambda aside: aside.engine.load(endless()))])
    sent = len(pieces)
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")])
    assert len(pieces) == sent
    assert not [event for event in server.journal if event.startswith("load")]


def test_what_it_sends_is_counted_and_shown_when_the_run_waits_for_it(runner: Runner, server: FakeServer) -> None:
    shipping, shown = Shipping(layers=3), threading.Event()

    def act(aside: Server) -> None:
        aside.bytes_sent += 1000
        aside.shipping = shipping
        until(lambda: server.shipping == shipping)
        shown.set()

    def between(real: Server) -> None:
        real.bytes_sent += 1

    runner.run([First("First"), Does("Between", between), Later("Later", act)])
    assert shown.is_set()
    assert (server.bytes_sent, server.shipping) == (1001, None)


def test_it_changes_nothing_without_the_lease(runner: Runner, server: FakeServer) -> None:
    runner.lease = acquire(server, "superlists", "staging", "deploy", wait=0)
    path = PurePosixPath(server.home / "too-late")
    lost = threading.Event()

    def lose(_: Server) -> None:
        take_away(server, "superlists")
        lost.set()

    def act(aside: Server) -> None:
        assert lost.wait(SECONDS)
        aside.write(path, b"x", mode=0o600)

    with pytest.raises(LeaseLost):
        runner.run([First("First"), Does("Between", lose), Later("Later", act)])
    assert server.read(path) is None
