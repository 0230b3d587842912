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
    (tmp_path / "test_it.py").write_text(RUN, encoding="utf-8")
    aims.take(Aim("Migrate", when, "process"), tmp_path)
    argv = [sys.executable, "-m", "pytest", "-s", "-q", "-p", "no:django", "-p", "no:cacheprovider", "test_it.py"]

    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == -9, done.stdout
    assert [word for word in ("looks", "acts", "over") if word in done.stdout] == shown
    struck = aims.release(tmp_path)
    assert struck
    assert struck.place == place
    assert not [*tmp_path.glob("*.json"), *tmp_path.glob("conftest.py")]


def test_a_run_that_was_not_struck_is_known(tmp_path: Path) -> None:
    aims.take(Aim("Migrate", "before", "process"), tmp_path)
    assert aims.release(tmp_path) is None


def test_what_can_be_typed() -> None:
    assert parsed(["kills", "--from=60", "--into=docs"]).begin == 60
    assert parsed(["load"]).into is None
    assert parsed(["faults", "--only=ssh"]).only == "ssh"
