"""The proxy is there, knows the site, and has the port: or who had it has it again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy_plugin import lease, traffic
from deploy_plugin.errors import LeaseHeld, NotYetKnown, RollbackFailed, StepFailed, Unreachable
from deploy_plugin.health import Probe
from deploy_plugin.steps import proxy
from deploy_plugin.steps.proxy import EnsureProxy
from deploy_plugin.steps.start_release import StartRelease
from deploy_plugin.steps.switch import Switch
from tests.site import TARGET, reached, running
from tests.steps.traffic import NEW, OLD, Traffic


class Gone(BaseException):
    """The run, from one moment to the next."""


@pytest.fixture
def before(traffic: Traffic) -> Traffic:
    """The old release holds the port itself."""
    traffic.publish_old()
    traffic.server.journal.clear()
    return traffic


def test_it_may_begin_early_only_where_nobody_would_notice(behind: Traffic) -> None:
    ensure = EnsureProxy(behind.containers("2"), Probe.of(behind.app, TARGET))
    assert not ensure.may_begin(behind.server), "others are behind it"
    behind.server.engine.stop("proxy-8080")
    assert ensure.may_begin(behind.server)


def test_it_may_not_take_a_port_over_early(before: Traffic) -> None:
    ensure = EnsureProxy(before.containers("2"), Probe.of(before.app, TARGET))
    assert not ensure.may_begin(before.server)


def test_a_proxy_that_was_stopped_is_started_again(behind: Traffic) -> None:
    behind.server.engine.stop("proxy-8080")
    behind.run("2")
    assert behind.reached == NEW
    assert "start_again proxy-8080" in behind.server.journal


def test_another_app_is_told_to_the_proxy_that_runs(behind: Traffic) -> None:
    other = Traffic(behind.server, behind.site, replace(behind.app, name="other"))
    target = replace(TARGET, url="http://other.example.com:8080")
    containers = replace(other.containers("9"), target=target)
    for step in (StartRelease(containers), EnsureProxy(containers, Probe.of(other.app, target))):
        step.apply(behind.server)
    Switch(containers, Probe.of(other.app, target)).apply(behind.server)
    assert reached(behind.server, behind.site) == OLD
    assert reached(behind.server, behind.site, "other.example.com:8080") == "other-9"
    assert behind.server.engine.specs.keys() == {"proxy-8080", OLD, "other-9"}


def test_an_app_on_a_port_of_its_own_moves_behind_the_proxy_of_others(behind: Traffic) -> None:
    other = Traffic(behind.server, behind.site, replace(behind.app, name="other"))
    elsewhere = replace(other.containers("8", proxied=False), target=replace(TARGET, publish=81))
    behind.server.engine.start(elsewhere.serving)
    target = replace(TARGET, url="http://other.example.com:8080")
    containers = replace(other.containers("9"), target=target)
    probe = Probe.of(other.app, target)
    for step in (StartRelease(containers), EnsureProxy(containers, probe)):
        step.apply(behind.server)
    last = Switch(containers, probe)
    assert last.check(behind.server) == "other-8 serves"
    is_not_found = replace(behind.server.engine.specs["other-9"], network="another")
    found = behind.server.engine.specs["other-9"]
    behind.server.engine.specs["other-9"] = is_not_found
    with pytest.raises(StepFailed):
        last.apply(behind.server)
    assert running(behind.server) == {OLD, "other-8", "other-9"}
    assert behind.reached == OLD
    behind.server.engine.specs["other-9"] = found
    last.apply(behind.server)
    assert reached(behind.server, behind.site, "other.example.com:8080") == "other-9"


def test_two_apps_tell_the_proxy_one_after_the_other(behind: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "_WAIT", 0.0)
    target = replace(TARGET, url="http://other.example.com:8080")
    containers = replace(behind.containers("2"), app=replace(behind.app, name="other"), target=target)
    step = EnsureProxy(containers, Probe.of(behind.app, target))
    StartRelease(containers).apply(behind.server)
    other = lease.acquire(behind.server, "proxy", "staging", "deploy")
    with pytest.raises(LeaseHeld, match="is at work on proxy on staging") as caught:
        step.apply(behind.server)
    assert "unlock" not in caught.value.hint  # that is for an app's lease
    other.release()
    step.apply(behind.server)
    assert step.check(behind.server) is None
    assert lease.look(behind.server, "proxy") is None


def test_what_the_proxy_refuses_is_not_there_at_its_next_start(
    behind: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = behind.server.home / "deploy/proxy/8080.json"
    taken = config.read_bytes()
    ensure = EnsureProxy(behind.containers("2"), Probe.of(behind.app, TARGET))
    monkeypatch.setattr(EnsureProxy, "_wanted", lambda *_: b"{}")
    with pytest.raises(StepFailed, match="proxy-8080 does not take its configuration") as caught:
        ensure.apply(behind.server)
    assert "docker rm -f proxy-8080" in caught.value.hint
    assert config.read_bytes() == taken
    assert behind.reached == OLD


# Where the old release holds the port itself


def test_the_proxy_takes_the_port_over_with_the_new_release_behind_it(before: Traffic) -> None:
    with pytest.raises(NotYetKnown, match=f"{OLD} holds the port"):
        before.steps("2")[-1].check(before.server)
    start, _, ensure, switch = before.steps("2")
    foretold = f"proxy-8080 does not run; nobody answers while it takes the port over from {OLD}"
    assert ensure.check(before.server) == foretold
    start.apply(before.server)
    told = ensure.apply(before.server)
    assert told
    assert told.startswith(f"proxy-8080 took the port over from {OLD}; nobody answered for ")
    if switch.check(before.server):
        switch.apply(before.server)
    assert before.reached == NEW
    assert running(before.server) == {NEW}
    assert before.server.engine.specs[NEW].stays


def test_a_run_that_goes_away_while_the_port_changes_hands_is_waited_for_no_longer_than_that_takes(
    before: Traffic,
) -> None:
    before.server.install("date", "echo 1000")
    file = before.server.home / "deploy/superlists/unconfirmed"
    start, _, ensure, _ = before.steps("2")
    start.apply(before.server)
    before.server.engine.fail("start proxy-8080", Gone())
    with pytest.raises(Gone):
        ensure.apply(before.server)
    assert file.read_text() == f"1090 {NEW}\n"
    ensure.apply(before.server)
    assert file.read_text() == f"1600 {NEW}\n"


def test_a_port_that_the_server_gave_back_by_itself_is_taken_again(before: Traffic) -> None:
    before.run("2")
    # Nobody confirmed the release, so this is what the server did.
    before.server.engine.stop("proxy-8080")
    before.server.engine.start_again(OLD)
    before.upstream.unlink()
    before.run("3")
    assert before.reached == "superlists-3"


def test_one_that_was_stopped_is_not_left_with_the_port_where_the_next_deploy_fails(before: Traffic) -> None:
    before.run("2")
    before.server.engine.stop("proxy-8080")
    before.server.engine.start_again(OLD)
    before.upstream.unlink()
    containers = before.containers("3")
    found = traffic.look(before.server, containers)
    before.run("3")
    traffic.send_back(before.server, containers, found)
    assert before.reached == OLD


@pytest.mark.parametrize("why", [StepFailed("no memory"), KeyboardInterrupt(), Unreachable("It broke.")])
@pytest.mark.parametrize("call", [f"stop {OLD}", "start proxy-8080"])
def test_a_port_that_can_not_be_taken_is_given_back(before: Traffic, call: str, why: BaseException) -> None:
    before.server.engine.fail(call, why)
    with pytest.raises(type(why)):
        before.run("2")
    assert before.reached == OLD
    assert not before.upstream.exists()
    assert "proxy-8080" not in before.server.engine.specs


def test_a_release_that_is_not_well_behind_a_new_proxy_gives_the_port_back(before: Traffic) -> None:
    start, await_health, ensure, _ = before.steps("2")
    start.apply(before.server)
    await_health.apply(before.server)
    before.server.engine.site = lambda spec, *_: 400 if spec.name == NEW else 200
    with pytest.raises(StepFailed, match="proxy-8080 runs, but is not healthy"):
        ensure.apply(before.server)
    before.site.serve_from(before.server.engine)
    assert before.reached == OLD


@pytest.mark.parametrize("why", [StepFailed("the disk is full"), Unreachable("It broke.")])
def test_a_port_that_can_not_be_given_back_is_exit_31(before: Traffic, why: Exception) -> None:
    before.server.engine.fail("start proxy-8080", StepFailed("no memory"))
    before.server.engine.fail(f"start_again {OLD}", why)
    with pytest.raises(RollbackFailed) as caught:
        before.run("2")
    assert caught.value.exit_code == 31
    assert "no memory" in caught.value.got
    assert str(why) in caught.value.got


def test_an_old_release_that_dies_with_its_port_back_is_exit_31_with_its_log(before: Traffic) -> None:
    before.server.engine.fail("start proxy-8080", StepFailed("no memory"))
    before.server.engine.dies(OLD, log="the disk is full")
    with pytest.raises(RollbackFailed, match="not certain that visitors go where they went") as caught:
        before.run("2")
    assert "the disk is full" in caught.value.got
