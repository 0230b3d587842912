"""Start, await and switch: whatever fails, visitors reach what they reached before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from deploy_plugin.errors import NotYetKnown, RollbackFailed, StepFailed, Unreachable
from deploy_plugin.server.base import Answer
from deploy_plugin.server.engine import ContainerSpec
from deploy_plugin.steps import switch
from tests.site import running
from tests.steps.traffic import NEW, OLD, Traffic, raises


def test_the_first_release_is_reached_through_a_proxy_of_its_own(traffic: Traffic) -> None:
    traffic.run("1")
    assert traffic.reached == OLD
    assert traffic.upstream.read_text() == f"{OLD}:8888\n"


def test_the_next_is_reached_through_the_same_while_the_old_goes_on(behind: Traffic) -> None:
    behind.run("2")
    assert behind.reached == NEW
    assert running(behind.server) == {OLD, NEW}
    assert not [line for line in behind.server.journal if "proxy-8080" in line]


def test_until_the_switch_the_old_is_reached_and_docker_does_not_keep_the_new(behind: Traffic) -> None:
    *first, last = behind.steps("2")
    for step in first:
        step.apply(behind.server)
        assert behind.reached == OLD
    assert not behind.server.engine.specs[NEW].stays
    last.apply(behind.server)
    assert behind.server.engine.specs[NEW].stays


def test_the_file_that_the_proxy_reads_is_never_without_a_name(behind: Traffic) -> None:
    # Seen by a link to the old file: had it been written into, the link would show it.
    link = behind.upstream.with_name("link")
    link.hardlink_to(behind.upstream)
    behind.run("2")
    assert link.read_text() == f"{OLD}:8888\n"
    assert behind.upstream.read_text() == f"{NEW}:8888\n"


def test_the_reason_names_who_serves(behind: Traffic) -> None:
    switch_step = behind.steps("2")[-1]
    assert switch_step.check(behind.server) == f"{OLD} serves"
    behind.server.engine.stop(OLD)
    assert switch_step.check(behind.server) == "nothing serves yet"


def test_health_of_what_is_not_there_is_not_known(behind: Traffic) -> None:
    _, await_health, *_ = behind.steps("2")
    with pytest.raises(NotYetKnown, match=f"{NEW} does not run yet"):
        await_health.check(behind.server)


def test_a_release_that_died_is_waited_for_in_vain_and_its_log_shown(behind: Traffic) -> None:
    start, await_health, *_ = behind.steps("2")
    behind.server.engine.dies(NEW, log="no reason to live")
    start.apply(behind.server)
    with pytest.raises(StepFailed, match=f"{NEW} ended with exit code") as caught:
        await_health.check(behind.server)
    assert "no reason to live" in caught.value.got


def test_a_release_that_a_killed_run_left_stopped_is_started_anew(behind: Traffic) -> None:
    start, *_ = behind.steps("2")
    start.apply(behind.server)
    behind.server.engine.stop(NEW)
    assert start.check(behind.server)
    start.apply(behind.server)
    assert running(behind.server) == {OLD, NEW}


def answers_badly_through_the_proxy(traffic: Traffic) -> None:
    through = iter([True])

    def answer(spec: ContainerSpec, path: str, host: str) -> int | Answer:
        first = spec.name == NEW and traffic.upstream.read_text().startswith(NEW) and next(through, False)
        return 400 if first else traffic.site.answer(spec, path, host)

    traffic.server.engine.site = answer


def is_not_found_by_the_proxy(traffic: Traffic) -> None:
    spec = traffic.server.engine.specs[NEW]
    traffic.server.engine.specs[NEW] = replace(spec, network="another")


@pytest.mark.parametrize("spoil", [answers_badly_through_the_proxy, is_not_found_by_the_proxy])
def test_a_release_that_is_not_well_behind_the_proxy_sends_visitors_back(
    behind: Traffic, spoil: Callable[[Traffic], None]
) -> None:
    *first, last = behind.steps("2")
    for step in first:
        step.apply(behind.server)
    spoil(behind)
    with pytest.raises(StepFailed, match="proxy-8080 runs, but is not healthy"):
        last.apply(behind.server)
    assert behind.reached == OLD


def test_ctrl_c_while_the_proxy_is_asked_sends_visitors_back(behind: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    *first, last = behind.steps("2")
    for step in first:
        step.apply(behind.server)
    monkeypatch.setattr(switch, "await_healthy", raises(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        last.apply(behind.server)
    assert behind.reached == OLD


def test_on_a_first_deploy_nobody_is_reached_again(traffic: Traffic) -> None:
    *first, last = traffic.steps("1")
    for step in first:
        step.apply(traffic.server)
    is_not_well = replace(traffic.server.engine.specs[OLD], network="another")
    traffic.server.engine.specs[OLD] = is_not_well
    with pytest.raises(StepFailed):
        last.apply(traffic.server)
    assert not traffic.upstream.exists()


def test_visitors_that_can_not_be_sent_back_are_exit_31(behind: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    *first, last = behind.steps("2")
    for step in first:
        step.apply(behind.server)
    is_not_found_by_the_proxy(behind)
    monkeypatch.setattr("deploy_plugin.traffic.send_back", raises(Unreachable("It broke.")))
    with pytest.raises(RollbackFailed) as caught:
        last.apply(behind.server)
    assert caught.value.exit_code == 31
    assert "is not healthy" in caught.value.got
    assert "It broke." in caught.value.got
