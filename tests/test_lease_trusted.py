"""For a moment what the server said of a lease counts, and it need not be asked again."""

from __future__ import annotations

import pytest

from deploy_plugin import lease
from deploy_plugin.errors import LeaseLost
from deploy_plugin.testing import FakeServer
from tests.leases import NOON, Clock, file, take
from tests.waiting import until

TRUST = lease.TRUST


@pytest.fixture
def clock(server: FakeServer) -> Clock:
    return Clock(server)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of this machine, which stands still until it is set; the lease is trusted in for a second."""
    now = [1000.0]
    monkeypatch.setattr(lease, "TRUST", TRUST)
    monkeypatch.setattr(lease, "_clock", lambda: now[0])
    return now


def test_for_a_second_the_server_is_not_asked_again(server: FakeServer, here: list[float]) -> None:
    mine = take(server)
    lease.take_away(server, "superlists")
    here[0] += 0.9
    mine.require()
    here[0] += 0.2
    with pytest.raises(LeaseLost, match="was taken away"):
        mine.require()


def test_what_is_run_there_is_asked_for_with_it_all_the_same(server: FakeServer, here: list[float]) -> None:
    mine = take(server)
    lease.take_away(server, "superlists")
    here[0] += 0.1
    with pytest.raises(LeaseLost):
        mine.run("true")


def test_a_lease_about_to_run_out_is_not_trusted_in(server: FakeServer, clock: Clock, here: list[float]) -> None:
    mine = take(server)
    here[0] += 59.5
    mine.require()
    clock.set(NOON + 60)
    with pytest.raises(LeaseLost, match="nothing was heard of it for 60 s"):
        mine.require()


def test_one_that_is_renewed_is_trusted_in_again(
    server: FakeServer, clock: Clock, here: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "_BEAT", 0.01)
    here[0] += 40
    mine = take(server)
    clock.set(NOON + 40)
    here[0] += 40
    until(lambda: f"expires={NOON + 100}" in file(server).read_text())
    here[0] += 19.5
    clock.set(NOON + 59)
    mine.require()
    lease.take_away(server, "superlists")
    mine.require()


def test_who_comes_after_one_that_was_taken_away_lets_it_notice(server: FakeServer, clock: Clock) -> None:
    slept = server.home / "slept"
    server.install("sleep", f'echo "$1" >>{slept}')
    take(server).release()
    take(server)
    assert not slept.exists()
    lease.take_away(server, "superlists")
    take(server)
    assert slept.read_text() == "3\n"
    assert float(slept.read_text()) > TRUST + 1, "both clocks may have been about to strike"
    lease.take_away(server, "superlists")
    clock.set(NOON + 3)
    take(server)
    assert slept.read_text() == "3\n"
