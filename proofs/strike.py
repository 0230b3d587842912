"""A ``conftest.py`` that strikes the run it is part of, at the moment that ``strike.json`` beside it says.

Where and when it did so is left in ``struck.json``; how long the parts of a run took that are no steps, in
``parts.json``. It is copied into the project that is deployed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deploy_plugin import ending, rollback, traffic
from deploy_plugin.proxy import upstreams
from deploy_plugin.records import Record
from deploy_plugin.runner import Runner

if TYPE_CHECKING:
    from deploy_plugin.models import StepReport
    from deploy_plugin.server.base import Server
    from deploy_plugin.steps.base import Step

HERE = Path(__file__).parent
AIM: dict[str, Any] = json.loads((HERE / "strike.json").read_text(encoding="utf-8"))
SIGNALS = {"process": signal.SIGKILL, "group": signal.SIGKILL, "freeze": signal.SIGSTOP}
PARTS: list[tuple[object, str, str]] = [(ending, "commit", "Commit")]
if AIM["run"] == "rollback":
    PARTS = [
        (rollback, "require_compatible", "See whether it is compatible"),
        (rollback, "_start", "Start the release"),
        (upstreams, "tell", "Tell the proxy"),
        (traffic, "spare", "Let it run"),
        (traffic, "drain_others", "Let the others end"),
        (Record, "add", "Write it down"),
    ]
TOOK: list[dict[str, Any]] = []
NOW: dict[str, Any] = {"place": "before the first step", "since": time.monotonic(), "step": ""}


def strike() -> None:
    after = round(time.monotonic() - NOW["since"], 3)
    (HERE / "struck.json").write_text(json.dumps({"place": NOW["place"], "after": after}), encoding="utf-8")
    if AIM["how"] == "group":
        os.killpg(0, SIGNALS["group"])
    elif AIM["how"] in SIGNALS:
        os.kill(os.getpid(), SIGNALS[AIM["how"]])
    elif AIM["waits"]:
        subprocess.run(AIM["command"], check=False, capture_output=True)
        if AIM["how"] == "lost":
            os.killpg(0, signal.SIGKILL)
    else:
        # Whatever becomes of this run: it goes on by itself.
        null = subprocess.DEVNULL
        subprocess.Popen(AIM["command"], stdin=null, stdout=null, stderr=null, start_new_session=True)


def reach(place: str, step: str, when: str) -> None:
    """The run is at a boundary: strike if it is the one."""
    NOW.update(place=place, since=time.monotonic())
    if (step, when) == (AIM["step"], AIM["when"]):
        strike()
    if (step, when, AIM["when"]) == (AIM["step"], "before", "within"):
        later(AIM["delay"])


def pytest_deploy_step_started(step: Step) -> None:
    NOW["step"] = step.title
    reach(f"{step.title}, as it looks", step.title, "before")


def pytest_deploy_step_finished(step: Step, report: StepReport) -> None:
    reach(f"{step.title}, {report.outcome}, before what follows", step.title, "after")


def pytest_runtest_logstart(nodeid: str) -> None:
    reach(f"the test {nodeid.rpartition('::')[2]}", "the tests", "before")


def pytest_runtest_logfinish() -> None:
    reach("after the tests", "the tests", "after")


def later(seconds: float) -> None:
    timer = threading.Timer(seconds, strike)
    timer.daemon = True
    timer.start()


def for_changes(self: Runner, server: Server | None = None) -> Server:
    found = LOOKED(self, server)
    reach(f"{NOW['step']}, as it acts", NOW["step"], "between")
    return found


def part(of: object, name: str, title: str) -> None:
    """Let a function count as a step."""
    original = getattr(of, name)

    def instead(*args: object, **kwargs: object) -> object:
        reach(f"{title}, as it begins", title, "before")
        began = time.monotonic()
        answer: object = original(*args, **kwargs)
        TOOK.append({"title": title, "outcome": "changed", "seconds": time.monotonic() - began})
        (HERE / "parts.json").write_text(json.dumps(TOOK), encoding="utf-8")
        reach(f"{title}, done, before what follows", title, "after")
        return answer

    PATCH.setattr(of, name, instead)


PATCH = pytest.MonkeyPatch()
LOOKED = Runner.for_changes
PATCH.setattr(Runner, "for_changes", for_changes)
for of_what, named, called in PARTS:
    part(of_what, named, called)
if AIM["when"] == "any time":
    later(AIM["delay"])
