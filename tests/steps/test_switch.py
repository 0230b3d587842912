"""Start, await, proxy and switch: whatever fails, visitors reach what they reached before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin import health, lease
from deploy_plugin.containers import Containers
from deploy_plugin.errors import LeaseHeld, NotYetKnown, RollbackFailed, StepFailed, Unreachable
from deploy_plugin.health import Probe
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.proxy import caddy
from deploy_plugin.server.base import Answer
from deploy_plugin.server.engine import ContainerSpec
from deploy_plugin.steps import proxy, switch
from deploy_plugin.steps.await_health import AwaitHealth
from deploy_plugin.steps.base import Step
from deploy_plugin.steps.proxy import EnsureProxy
from deploy_plugin.steps.start_release import StartRelease
from deploy_plugin.steps.switch import Switch
from deploy_plugin.testing import FakeServer
from tests.site import TARGET, Site, reached, running

OLD, NEW = "superlists-1", "superlists-2"


class Gone(BaseException):
    """The run, from one moment to the next."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_PAUSE", 0.01)
    monkeypatch.setattr(switch, "_PATIENCE", 0.05)


@dataclass
class Traffic:
    """A server on which the old release is to serve, and the new one then."""

    server: FakeServer
    site: Site
    app: App

    def containers(self, release_id: str, *, proxied: bool = True) -> Containers:
        release = Release(release_id, "1a2b3c4d", "superlists:abc")
        folder = AppFolder(PurePosixPath(self.server.home), self.app.name)
        return Containers(replace(self.app, proxied=proxied), TARGET, folder, (1000, 1000), release, {})

    def steps(self, release_id: str) -> list[Step]:
        containers = self.containers(release_id)
        probe = Probe.of(self.app, TARGET)
        return [
            StartRelease(containers),
            AwaitHealth(containers, probe),
            EnsureProxy(containers, probe),
            Switch(containers, probe),
        ]

    def run(self, release_id: str) -> None:
        """Run the steps as a deploy does."""
        for step in self.steps(release_id):
            if step.check(self.server):
                step.apply(self.server)

    def publish_old(self) -> None:
        self.server.engine.start(replace(self.containers("1", proxied=False).serving, name=OLD))

    @property
    def upstream(self) -> Path:
        return self.server.home / "deploy/proxy/upstreams/superlists"

    @property
    def reached(self) -> str:
        return reached(self.server, self.site)


@pytest.fixture
def traffic(server: FakeServer, site: Site, app: App) -> Traffic:
    server.engine.add_image("superlists:abc")
    server.engine.add_image(caddy.IMAGE, ports=(80, 443))
    return Traffic(server, site, app)


@pytest.fixture
def behind(traffic: Traffic) -> Traffic:
    """The old release serves behind the proxy."""
    traffic.run("1")
    traffic.server.journal.clear()
    return traffic


@pytest.fixture
def before(traffic: Traffic) -> Traffic:
    """The old release holds the port itself."""
    traffic.publish_old()
    traffic.server.journal.clear()
    return traffic


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


# The proxy


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
    with pytest.raises(LeaseHeld, match="is at work on proxy on staging"):
        step.apply(behind.server)
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
    before.run("2")
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


def raises(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail
