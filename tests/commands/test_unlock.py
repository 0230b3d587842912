from __future__ import annotations

import hashlib
import re
import time

import pytest

from deploy_plugin import lease
from deploy_plugin.errors import LeaseLost
from deploy_plugin.testing import FakeServer
from tests.commands.command import Command
from tests.inner import Project, said


@pytest.fixture
def theirs(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> lease.Lease:
    """The lease that somebody else holds."""
    with monkeypatch.context() as patch:
        patch.setattr(lease, "who", lambda: "harriet@laptop")
        return lease.acquire(server, "superlists", "staging", "deploy")


@pytest.mark.usefixtures("deployable")
def test_it_says_whose_it_was_and_that_run_stops(server: FakeServer, theirs: lease.Lease, command: Command) -> None:
    server.journal.clear()
    assert command("unlock", "staging") == 0
    assert re.fullmatch(
        r"harriet@laptop \(deploy, since [\d-]+ [\d:]+ UTC\) held the lease of superlists on staging, and does not any "
        r"more: that run stops at its next change\.\n",
        command.out,
    )
    with pytest.raises(LeaseLost):
        theirs.require()
    assert server.journal == []


@pytest.mark.usefixtures("deployable")
def test_where_nobody_holds_it_it_says_so_and_makes_nothing(server: FakeServer, command: Command) -> None:
    assert command("unlock", "staging") == 0
    assert command.out == "Nobody holds the lease of superlists on staging; nothing was changed.\n"
    assert not (server.home / "deploy").exists()


@pytest.mark.usefixtures("theirs")
def test_a_deploy_is_refused_before_anything_is_changed(deployable: Project, server: FakeServer) -> None:
    server.journal.clear()
    result = deployable.run("--deploy-to=staging")
    assert result.ret == 30
    assert "harriet@laptop is at work on superlists on staging: deploy, since " in said(result)
    assert "pytest-deploy unlock staging" in said(result)
    assert " passed" not in said(result)
    assert server.journal == []


def test_a_deploy_that_waits_goes_on_when_it_may(
    deployable: Project, theirs: lease.Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: theirs.release())
    result = deployable.run("--deploy-to=staging", "--deploy-wait=60")
    assert result.ret == 0
    assert "Wait for the lease: harriet@laptop (deploy, since " in said(result)


def test_who_need_not_wait_does_not(deployable: Project) -> None:
    result = deployable.run("--deploy-to=staging", "--deploy-wait=60")
    assert "ok  Wait for the lease (" in said(result)


@pytest.mark.usefixtures("theirs")
def test_a_plan_says_who_is_at_work_and_goes_on(deployable: Project, server: FakeServer) -> None:
    server.journal.clear()
    result = deployable.run("--deploy-to=staging", "--deploy-plan")
    assert result.ret == 0
    assert "harriet@laptop (deploy, since " in said(result)
    assert "is at work on superlists there: a deploy would have to wait for it." in said(result)
    assert server.journal == []


@pytest.mark.usefixtures("theirs")
def test_secrets_are_not_changed_meanwhile(deployable: Project, server: FakeServer, command: Command) -> None:
    assert deployable.connected == []
    server.journal.clear()
    assert command("secrets", "staging", "rotate", "KEY") == 30
    assert "harriet@laptop is at work" in command.err
    assert server.journal == []


def test_it_is_held_until_the_tests_have_ended(deployable: Project, server: FakeServer) -> None:
    deployable.write(
        "infra_tests/test_infra.py",
        "from pathlib import Path\n"
        f"LEASE = Path({str(lease.file_of(server, 'superlists'))!r})\n"
        "def test_it():\n    assert 'expires=0' not in LEASE.read_text()\n",
    )
    assert deployable.run("--deploy-to=staging").ret == 0
    assert lease.look(server, "superlists") is None


def test_whatever_ends_a_deploy_gives_it_back(deployable: Project, server: FakeServer) -> None:
    server.engine.fail("start *", KeyboardInterrupt())
    assert deployable.run("--deploy-to=staging").ret == 30
    assert server.read(lease.file_of(server, "superlists"))
    assert lease.look(server, "superlists") is None


def test_a_deploy_whose_lease_is_taken_away_stops_before_its_next_step(deployable: Project, server: FakeServer) -> None:
    deployable.write(
        "conftest.py",
        "from deploy_plugin.lease import take_away\nSERVER = []\n"
        "def pytest_deploy_run(server):\n    SERVER.append(server)\n"
        "def pytest_deploy_step_started(step):\n"
        "    if step.title == 'Migrate':\n        take_away(SERVER[0], 'superlists')\n",
    )
    result = deployable.run("--deploy-to=staging")
    assert result.ret == 30
    assert "This run's lease was taken away by" in said(result)
    assert "failed  Migrate" in said(result)
    assert "Switch" not in said(result)
    assert server.engine.journal


@pytest.mark.usefixtures("deployed", "theirs")
@pytest.mark.parametrize(
    "typed", [("rollback", "staging"), ("restore", "staging", "good"), ("reset-db", "staging"), ("adopt", "staging")]
)
def test_a_command_is_told_to_wait_and_of_no_option_that_it_has_not(
    server: FakeServer, command: Command, typed: tuple[str, ...]
) -> None:
    snapshot = server.home / "deploy/superlists/snapshots/db-good.sqlite3"
    snapshot.parent.mkdir(exist_ok=True)
    snapshot.write_bytes(b"good rows")
    digest = hashlib.sha256(b"good rows").hexdigest()
    snapshot.with_name(f"{snapshot.name}.sha256").write_text(f"{digest}  {snapshot.name}\n")
    server.journal.clear()
    assert command(*typed) == 30
    assert "harriet@laptop is at work on superlists on staging: deploy, since " in command.err
    told = " ".join(command.err.split())
    assert "Wait until then, and type it again. If you know that nobody is at work: pytest-deploy unlock" in told
    assert "--deploy-wait" not in command.err
    assert server.journal == []
