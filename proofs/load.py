"""Releases follow each other while visitors read, write and upload: none of their requests may fail."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from proofs.site import Ended, Found, NotTrue, Site, served, visited
from proofs.visitors import Request, Visitors

DEPLOYS, RATE, SEED = 20, 300, 1
QUIET = 20.0
"""Seconds without a deploy, before the first one: to compare."""
A_TEST = "infra_tests/test_it.py"
NO = "def test_it_is_deployed(deployment):\n    assert not deployment.release.id\n"
DRAINED_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was done to the site, and what visitors saw of it."""

    what: str
    seconds: Sequence[float]
    """Of each time."""
    requests: int
    failed: int
    latencies: Mapping[str, float]
    """Milliseconds that half, 99 % and 99.9 % of the requests took at most, and the longest; of all but uploads."""


@dataclass(frozen=True, slots=True)
class Load:
    """All of it."""

    asked: float
    """Requests a second that were due."""
    rate: float
    """Requests a second that were made, over all the time."""
    seconds: float
    requests: Mapping[str, int]
    """How many of each kind."""
    failures: Sequence[str]
    acknowledged: int
    """Writes and uploads that the site said it had taken."""
    found: Found
    acts: Sequence[Act]

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        acts = [Act(**act) for act in said["acts"]]
        return cls(**{**said, "found": Found(**said["found"]), "acts": acts})

    @property
    def is_well(self) -> bool:
        return self.found.is_well and not self.failures


def prove(deploys: int, rate: float, seed: int, say: Callable[[str], None]) -> Load:
    """Deploy so many changed lines, then two migrations, two releases that are taken back, and go back by hand."""
    with served("proof-load") as site, visited(site, rate, f"load-{seed}") as visitors:
        watch = _Watch(site, visitors, say)
        with watch.act("no deploy"):
            time.sleep(QUIET)
        for _ in range(deploys):
            watch.deploy("a deploy of a changed line")
        for _ in range(2):
            watch.deploy("a deploy with a migration", migrates=True)
        for _ in range(2):
            watch.deploy_and_go_back("a deploy whose tests fail, and that is rolled back")
        for _ in range(2):
            watch.go_back_by_hand("pytest-deploy rollback")
        with watch.act("the last releases before end"):
            _await_alone(site)
        acknowledged, made = [*visitors.acknowledged], visitors.now
        found = site.look(acknowledged)
    requests = visitors.requests
    return Load(
        asked=rate,
        rate=round(len(requests) / made, 1),
        seconds=round(made, 1),
        requests={kind: sum(one.kind == kind for one in requests) for kind in sorted({one.kind for one in requests})},
        failures=[f"{one.kind} at {one.due:.2f} s: {one.failure}" for one in visitors.failures],
        acknowledged=len(acknowledged),
        found=found,
        acts=[*watch.acts()],
    )


class _Watch:
    def __init__(self, site: Site, visitors: Visitors, say: Callable[[str], None]) -> None:
        self._site = site
        self._visitors = visitors
        self._say = say
        self._done: dict[str, list[tuple[float, float]]] = {}

    @contextmanager
    def act(self, what: str) -> Iterator[None]:
        """Remember from when until when this was done."""
        began = self._visitors.now
        yield
        ended = self._visitors.now
        self._done.setdefault(what, []).append((began, ended))
        self._say(f"{what}: {ended - began:.1f} s; requests failed so far: {len(self._visitors.failures)}")

    def deploy(self, what: str, *arguments: str, migrates: bool = False, code: int = 0) -> Ended:
        self._site.change(migrates=migrates)
        with self.act(what):
            run = self._site.deploy(*arguments)
        run.require(code)
        return run

    def deploy_and_go_back(self, what: str) -> None:
        project, serving = self._site.project, self._site.server.serving()
        yes = (project.folder / A_TEST).read_text(encoding="utf-8")
        project.write(A_TEST, NO)
        run = self.deploy(what, "--deploy-on-failure=rollback", code=1)
        project.write(A_TEST, yes)
        if self._site.server.serving() != serving:
            raise NotTrue(f"it was not rolled back:\n{run.output}")

    def go_back_by_hand(self, what: str) -> None:
        serving = self._site.server.serving()
        with self.act(what):
            self._site.roll_back().require(0)
        if self._site.server.serving() == serving:
            raise NotTrue(f"{serving} still serves after a rollback")

    def acts(self) -> Iterator[Act]:
        for what, spans in self._done.items():
            during = [one for one in self._visitors.requests if _overlaps(one, spans)]
            yield Act(
                what=what,
                seconds=[round(end - begin, 2) for begin, end in spans],
                requests=len(during),
                failed=sum(bool(one.failure) for one in during),
                latencies=_latencies([one.took for one in during if one.kind != "upload"]),
            )


def _overlaps(request: Request, spans: Sequence[tuple[float, float]]) -> bool:
    return any(begin <= request.due + request.took and request.due <= end for begin, end in spans)


def _latencies(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds) or [0.0]
    parts = {"50 %": 0.5, "99 %": 0.99, "99.9 %": 0.999, "longest": 1.0}
    return {name: round(1000 * ordered[int((len(ordered) - 1) * part)], 1) for name, part in parts.items()}


def _await_alone(site: Site) -> None:
    """Wait until what served before has had its drain, and ended."""
    until = time.monotonic() + DRAINED_SECONDS
    while len(site.server.releases()) > 1:
        if time.monotonic() > until:
            raise NotTrue(f"still there: {', '.join(sorted(site.server.releases()))}")
        time.sleep(1)
