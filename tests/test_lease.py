from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin import lease
from deploy_plugin.begun import begun
from deploy_plugin.errors import DeployError, LeaseHeld, LeaseLost, StepFailed, Unreachable
from deploy_plugin.lease import Lease
from deploy_plugin.server.base import Result
from deploy_plugin.testing import FakeServer
from tests.leases import NOON, Clock, file, take
from tests.waiting import until


@pytest.fixture
def clock(server: FakeServer) -> Clock:
    return Clock(server)


# Who has it


def test_what_the_file_says_can_be_read(server: FakeServer, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    clock.set(NOON)
    monkeypatch.setattr(lease, "who", lambda: "harriet@laptop")
    take(server)
    assert file(server).read_text().splitlines()[:5] == [
        f"token={NOON}",
        f"expires={NOON + 60}",
        f"since={NOON}",
        "holder=harriet@laptop",
        "purpose=deploy",
    ]
    assert file(server).stat().st_mode & 0o777 == 0o600


def test_a_second_one_is_told_who_and_since_when_and_until_when_and_what_to_do(
    server: FakeServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "who", lambda: "harriet@laptop")
    take(server, "restore")
    clock.set(NOON + 9)
    before = file(server).read_bytes()
    with pytest.raises(LeaseHeld) as caught:
        take(server)
    assert caught.value.exit_code == 30
    assert str(caught.value) == (
        "harriet@laptop is at work on superlists on staging: restore, since 2026-11-24 12:00:00 UTC.\n"
        "Its lease ends at 2026-11-24 12:01:00 UTC by the server's clock; a run that lives renews it.\n"
        "Wait with --deploy-wait=SECONDS. If you know that nobody is at work: pytest-deploy unlock staging"
    )
    assert file(server).read_bytes() == before


def test_who_has_no_option_to_wait_is_not_told_of_one(server: FakeServer) -> None:
    take(server)
    with pytest.raises(LeaseHeld) as caught:
        take(server, wait=None)
    assert "Wait until then, and type it again. If you know that nobody is at work: pytest-deploy unlock" in str(
        caught.value
    )
    assert "--deploy-wait" not in str(caught.value)


def test_apps_do_not_wait_for_each_other(server: FakeServer) -> None:
    take(server)
    lease.acquire(server, "blog", "staging", "deploy").require()


def test_once_it_is_released_the_next_one_has_it(server: FakeServer) -> None:
    first = take(server)
    first.release()
    second = take(server)
    first.release()
    second.require()


def test_one_that_was_interrupted_in_asking_leaves_none(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    run = server.run
    main, there = threading.get_ident(), list[Future[Result]]()

    def interrupted(*argv: str | PurePosixPath, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(server, "run", run)

        def late() -> Result:
            time.sleep(0.3)
            return run(*argv, stdin=stdin)

        given = begun(late, "server")  # which gives it, whoever waits for that
        there.append(given)
        signal.pthread_kill(main, signal.SIGINT)
        return given.result()

    monkeypatch.setattr(server, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        take(server)
    assert there[0].result().ok
    take(server).require()


def test_it_runs_out_by_the_clock_of_the_server(server: FakeServer, clock: Clock) -> None:
    take(server)
    clock.set(NOON + 59)
    with pytest.raises(LeaseHeld):
        take(server)
    clock.set(NOON + 60)
    take(server).require()


def test_a_token_only_grows_whatever_becomes_of_clock_and_file(server: FakeServer, clock: Clock) -> None:
    tokens = []
    for seconds in (NOON, NOON, NOON - 5, NOON + 100):
        clock.set(seconds)
        one = take(server)
        tokens.append(one.token)
        one.release()
    assert tokens == [NOON, NOON + 1, NOON + 2, NOON + 100]
    file(server).unlink()
    clock.set(NOON + 101)
    assert take(server).token == NOON + 101


@pytest.mark.parametrize("content", ["", "token=x\nexpires=\n", "\0" * 600, "token=5\nexpires=99999999999x\n"])
def test_a_file_that_says_nothing_is_nobodys(server: FakeServer, content: str) -> None:
    file(server).parent.mkdir(parents=True)
    file(server).write_text(content)
    take(server).require()


@pytest.mark.parametrize("round_", range(20))
def test_of_several_at_once_exactly_one_gets_it(server: FakeServer, round_: int) -> None:
    clients, ready = 4, threading.Barrier(4)

    def race(_: int) -> Lease | None:
        ready.wait()
        try:
            return take(server, f"round {round_}")
        except LeaseHeld:
            return None

    with ThreadPoolExecutor(clients) as pool:
        (winner,) = filter(None, pool.map(race, range(clients)))
    winner.require()


# Waiting


def test_who_waits_gets_it_when_it_is_released(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    first = take(server)
    monkeypatch.setattr(time, "sleep", lambda _: first.release())
    take(server, wait=60).require()


def test_who_waits_is_told_in_the_end(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_POLL", 0.01)
    take(server)
    with pytest.raises(LeaseHeld):
        take(server, wait=0.05)


# Losing it


def test_a_run_that_was_away_for_too_long_can_not_go_on_although_nobody_came(server: FakeServer, clock: Clock) -> None:
    mine = take(server)
    clock.set(NOON + 61)
    with pytest.raises(LeaseLost) as caught:
        mine.require()
    assert caught.value.exit_code == 30
    assert str(caught.value) == (
        "This run's lease ended at 2026-11-24 12:01:00 UTC, as nothing was heard of it for 60 s: "
        "nothing more was changed.\nSee what serves there, then deploy again: pytest-deploy status staging"
    )


def test_a_run_whose_place_was_taken_is_told_by_whom(
    server: FakeServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = take(server)
    clock.set(NOON + 61)
    monkeypatch.setattr(lease, "who", lambda: "harriet@laptop")
    other = take(server)
    now = "harriet@laptop (deploy, since 2026-11-24 12:01:01 UTC) holds it now: nothing more was changed."
    with pytest.raises(LeaseLost, match=r"^This run's lease ended, and ") as caught:
        mine.require()
    assert caught.value.message.endswith(now)
    other.release()
    with pytest.raises(LeaseLost, match="another run was there since: nothing more was changed"):
        mine.require()


def test_taking_it_away_says_whose_it_was_and_ends_that_run(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = take(server)
    monkeypatch.setattr(lease, "who", lambda: "harriet@laptop")
    was = lease.take_away(server, "superlists")
    assert was
    assert was.purpose == "deploy"
    assert lease.take_away(server, "superlists") is None
    with pytest.raises(LeaseLost, match="was taken away by harriet@laptop"):
        mine.require()
    take(server).require()


def test_looking_and_taking_away_make_nothing_where_nothing_is(server: FakeServer) -> None:
    assert lease.look(server, "superlists") is None
    assert lease.take_away(server, "superlists") is None
    assert not file(server).parent.exists()


def test_a_file_that_somebody_removed_is_a_lease_that_is_lost(server: FakeServer) -> None:
    mine = take(server)
    file(server).unlink()
    with pytest.raises(LeaseLost):
        mine.require()
    assert not file(server).exists()


# Keeping it


def test_a_run_that_lives_renews_it(server: FakeServer, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_BEAT", 0.01)
    mine = take(server)
    clock.set(NOON + 50)
    until(lambda: f"expires={NOON + 110}" in file(server).read_text())
    mine.release()
    assert "expires=0\n" in file(server).read_text()


def test_a_heart_that_misses_a_beat_beats_on(server: FakeServer, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    missed: list[str] = []
    run = server.run

    def breaks(*argv: str, stdin: bytes = b"") -> Result:
        if not missed:
            missed.append(argv[0])
            raise Unreachable("The connection broke.")
        return run(*argv, stdin=stdin)

    monkeypatch.setattr(lease, "_BEAT", 0.01)
    take(server)
    monkeypatch.setattr(server, "run", breaks)
    until(lambda: bool(missed))
    clock.set(NOON + 50)
    until(lambda: f"expires={NOON + 110}" in file(server).read_text())


def test_what_has_run_out_is_not_renewed(server: FakeServer, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_BEAT", 0.01)
    clock.set(NOON)
    late = take(server)
    clock.set(NOON + 60)
    until(lambda: not late.is_kept)
    assert f"expires={NOON + 60}\n" in file(server).read_text()


# What can go wrong


def test_a_server_without_flock_is_a_sentence(server: FakeServer) -> None:
    (Path(server.home).parent / "commands" / "flock").unlink()
    with pytest.raises(StepFailed, match="There is no flock command on the server") as caught:
        take(server)
    assert "util-linux" in caught.value.hint


def test_a_full_disk_is_a_sentence(server: FakeServer) -> None:
    server.install("cat", 'echo "cat: write error: No space left on device" >&2; exit 1')
    with pytest.raises(StepFailed, match="can't be read and written") as caught:
        take(server)
    assert caught.value.hint.startswith("The server's disk is full")


def test_a_file_that_can_not_be_written_is_a_sentence(server: FakeServer) -> None:
    file(server).mkdir(parents=True)
    with pytest.raises(DeployError, match=r"The lease in .*/lease can't be read and written\."):
        take(server)
