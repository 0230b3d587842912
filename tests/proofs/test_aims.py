"""Where deploys are struck, and that a run is really struck there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from proofs import aims
from proofs.__main__ import parsed
from proofs.aims import Aim

STEPS = [
    {"title": "Gather facts", "outcome": "ok", "seconds": 0.4},
    {"title": "Migrate", "outcome": "changed", "seconds": 2.0},
]
CLOSED = [
    *STEPS,
    {"title": "Close the site", "outcome": "changed", "seconds": 3.0},
    {"title": "Snapshot the database", "outcome": "changed", "seconds": 1.0},
    {"title": "Ensure proxy", "outcome": "ok", "seconds": 0.1},
]
PARTS = [
    {"title": "See whether it is compatible", "outcome": "changed", "seconds": 2.0},
    {"title": "Tell the proxy", "outcome": "changed", "seconds": 0.0},
]
GO_BACK = """
from deploy_plugin import rollback
from deploy_plugin.proxy import upstreams

def test_it():
    for what in (rollback.require_compatible, rollback._start, upstreams.tell):
        try:
            what(None, None, None, None)
        except (AttributeError, TypeError):
            print(what.__name__, "was called", flush=True)
"""
RUN = """
from deploy_plugin.models import Outcome, StepReport
from deploy_plugin.runner import Runner
from deploy_plugin.testing import FakeServer

class Step:
    title = "Migrate"

    def check(self, server):
        print("looks", flush=True)
        return "it is missing"

    def apply(self, server):
        print("acts", flush=True)

def test_it(tmp_path, request):
    Runner(FakeServer(tmp_path), request.config.hook).run([Step()])
    print("over", flush=True)
"""


def run_struck(folder: Path, run: str, aim: Aim) -> subprocess.CompletedProcess[str]:
    """Let pytest run there, and be struck."""
    (folder / "test_it.py").write_text(run, encoding="utf-8")
    aims.take(aim, folder)
    argv = [sys.executable, "-m", "pytest", "-s", "-q", "-p", "no:django", "-p", "no:cacheprovider", "test_it.py"]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)


def test_the_same_seed_gives_the_same_aims() -> None:
    assert aims.kills(STEPS, 20, 5) == aims.kills(STEPS, 20, 5)
    assert aims.kills(STEPS, 20, 5) != aims.kills(STEPS, 20, 6)


def test_every_boundary_is_aimed_at_and_moments_inside() -> None:
    found = {(aim.step, aim.when) for aim in aims.kills(STEPS, 20, 1)}
    assert {("Gather facts", when) for when in ("before", "after", "within")} <= found
    assert {("Migrate", when) for when in ("before", "between", "after", "within")} <= found
    assert ("Gather facts", "between") not in found  # it has nothing to do
    assert ("", "any time") in found


def test_a_step_that_migrates_is_struck_when_it_does() -> None:
    assert all(aim.migrates for aim in aims.kills(STEPS, 40, 2) if aim.step == "Migrate")


@pytest.mark.parametrize(
    ("when", "shown", "place"),
    [
        ("before", [], "Migrate, as it looks"),
        ("between", ["looks"], "Migrate, as it acts"),
        ("after", ["looks", "acts"], "Migrate, changed, before what follows"),
    ],
)
def test_a_run_is_killed_where_it_was_aimed_at(tmp_path: Path, when: str, shown: list[str], place: str) -> None:
    done = run_struck(tmp_path, RUN, Aim("Migrate", when, "process"))
    assert done.returncode == -9, done.stdout
    assert [word for word in ("looks", "acts", "over") if word in done.stdout] == shown
    struck = aims.release(tmp_path)
    assert struck
    assert struck.place == place
    assert not [*tmp_path.glob("*.json"), *tmp_path.glob("conftest.py")]


def test_a_downtime_is_struck_at_what_changes_something_while_the_site_is_closed_and_inside() -> None:
    found = aims.downtimes(CLOSED, 9, 3)
    once = {("Close the site", "between"), ("Snapshot the database", "between")}
    ends = {("the tests", "before"), ("Commit", "before"), ("Commit", "after")}
    assert {(aim.step, aim.when) for aim in found if aim.when != "within"} == once | ends
    inside = [aim for aim in found if aim.when == "within"]
    assert len(inside) == 4
    assert {aim.step for aim in inside} <= {"Close the site", "Snapshot the database"}
    assert {(aim.run, aim.migrates) for aim in found} == {("deploy with a downtime", True)}


def test_a_rollback_is_struck_before_each_part_and_after_the_last_and_inside() -> None:
    found = aims.rollbacks(PARTS, 5, 3)
    assert sorted((aim.step, aim.when) for aim in found) == [
        ("See whether it is compatible", "before"),
        *[("See whether it is compatible", "within")] * 2,
        ("Tell the proxy", "after"),
        ("Tell the proxy", "before"),
    ]
    assert {aim.run for aim in found} == {"rollback"}
    assert all(aim.migrates for aim in found if aim.step == "See whether it is compatible")


def test_a_rollback_is_killed_where_it_was_aimed_at(tmp_path: Path) -> None:
    done = run_struck(tmp_path, GO_BACK, Aim("Tell the proxy", "before", "process", run="rollback"))
    assert done.returncode == -9, done.stdout
    assert "tell was called" not in done.stdout
    found = aims.release(tmp_path)
    assert found
    assert found.place == "Tell the proxy, as it begins"


def test_a_run_that_was_not_struck_is_known(tmp_path: Path) -> None:
    aims.take(Aim("Migrate", "before", "process"), tmp_path)
    assert aims.release(tmp_path) is None


def test_what_can_be_typed() -> None:
    assert parsed(["kills", "--from=60", "--into=docs"]).begin == 60
    assert parsed(["kills", "--count=3"]).deploys == 3
    assert parsed(["kills"]).rollbacks > 0
    assert parsed(["load"]).into is None
    assert parsed(["faults", "--only=ssh"]).only == "ssh"
