"""Where a run is struck: at each boundary of each step, at moments inside each, and at any moment of it."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

DEPLOY, DOWNTIME, ROLLBACK = "deploy", "deploy with a downtime", "rollback"
"""What is struck."""
CLOSES, TESTS, COMMITS = "Close the site", "the tests", "Commit"
LOOKS = "See whether it is compatible"
MIGRATING = ("Rehearse the migration", "Snapshot the database", "Migrate")
KILLED = {"process": "the process is killed", "group": "the process and its ssh are killed"}
PARTS = "parts.json"
_STRIKE = Path(__file__).with_name("strike.py")


@dataclass(frozen=True, slots=True)
class Aim:
    """One moment of a run, and what happens then."""

    step: str
    """Its title, or what stands for it where there are no steps; empty where any moment of the run will do."""
    when: str
    """``before`` it looks, ``between`` looking and acting, ``after`` it, ``within`` it, or at ``any time``."""
    how: str
    """``process`` or ``group`` is killed, the process stands still (``freeze``), or a ``command`` is run."""
    what: str = ""
    """What happens, for whoever reads of it."""
    delay: float = 0
    """Seconds, for a moment within."""
    migrates: bool = False
    """Whether the deploy changes the database; of a rollback, whether the one before it did."""
    command: Sequence[str] = ()
    waits: bool = False
    """Whether the deploy goes on only when the command has ended."""
    run: str = DEPLOY

    def __str__(self) -> str:
        delay = f" after {self.delay:.2f} s" if self.when in {"within", "any time"} else ""
        return f"{self.when} {self.step}{delay}".strip()


@dataclass(frozen=True, slots=True)
class Struck:
    """Where a run was when it was struck."""

    place: str
    after: float
    """Seconds since it was there."""


def kills(steps: Sequence[Mapping[str, object]], count: int, seed: int) -> list[Aim]:
    """Give so many aims, in an order by chance; ``steps`` are a migrating deploy's, as ``--deploy-json`` has them."""
    chance = random.Random(seed)  # noqa: S311 - to be the same again
    bounds = [*_boundaries(steps, chance)]
    inside = [*_inside(steps, chance)]
    whole = sum(_seconds(step) for step in steps) + 2  # and the tests
    anywhere = max(0, count - len(bounds) - len(inside))
    every = [*bounds, *inside, *(_aim("", "any time", chance, chance.uniform(0, whole)) for _ in range(anywhere))]
    chance.shuffle(every)
    return every[:count]


def downtimes(steps: Sequence[Mapping[str, object]], count: int, seed: int) -> list[Aim]:
    """Give aims from where the site closes until it is open again; ``steps`` are those of a deploy that closed it."""
    titles = [step["title"] for step in steps]
    closed = [step for step in steps[titles.index(CLOSES) :] if step["outcome"] == "changed"]
    chance = random.Random(seed)  # noqa: S311 - to be the same again
    ends = [(TESTS, "before"), (COMMITS, "before"), (COMMITS, "after")]
    bounds = [*((str(step["title"]), "between") for step in closed), *ends]
    return [replace(aim, run=DOWNTIME, migrates=True) for aim in _each_once(closed, bounds, count, chance)]


def rollbacks(parts: Sequence[Mapping[str, object]], count: int, seed: int) -> list[Aim]:
    """Give aims for a rollback by hand, of which ``parts`` are what stands for steps."""
    chance = random.Random(seed)  # noqa: S311 - to be the same again
    titles = [str(part["title"]) for part in parts]
    bounds = [*((title, "before") for title in titles), (titles[-1], "after")]
    return [replace(aim, run=ROLLBACK) for aim in _each_once(parts, bounds, count, chance)]


def _each_once(
    steps: Sequence[Mapping[str, object]], bounds: Sequence[tuple[str, str]], count: int, chance: random.Random
) -> list[Aim]:
    """Give an aim for each boundary, then moments inside, where a step that takes longer has more of them."""
    every = [_aim(step, when, chance) for step, when in bounds]
    weights = [_seconds(step) for step in steps]
    inside = chance.choices(steps, weights, k=max(0, count - len(every)))
    every += [_aim(str(step["title"]), "within", chance, chance.uniform(0, _seconds(step))) for step in inside]
    chance.shuffle(every)
    return every[:count]


def _boundaries(steps: Iterable[Mapping[str, object]], chance: random.Random) -> Iterator[Aim]:
    for step in steps:
        moments = ("before", "between", "after") if step["outcome"] == "changed" else ("before", "after")
        for when in moments:
            yield _aim(str(step["title"]), when, chance)


def _inside(steps: Iterable[Mapping[str, object]], chance: random.Random) -> Iterator[Aim]:
    for step in steps:
        for _ in range(3 if step["outcome"] == "changed" else 1):
            yield _aim(str(step["title"]), "within", chance, chance.uniform(0, _seconds(step)))


def _aim(step: str, when: str, chance: random.Random, delay: float = 0) -> Aim:
    how = chance.choice(("process", "group"))
    migrates = chance.random() < 1 / 3 or step in {*MIGRATING, LOOKS}
    return Aim(step, when, how, KILLED[how], round(delay, 3), migrates)


def _seconds(step: Mapping[str, object]) -> float:
    return float(str(step["seconds"]))


def take(aim: Aim, folder: Path) -> None:
    """Let the next run in that folder be struck."""
    release(folder)
    shutil.copy2(_STRIKE, folder / "conftest.py")
    (folder / "strike.json").write_text(json.dumps(asdict(aim)), encoding="utf-8")


def release(folder: Path) -> Struck | None:
    """Let the next one alone, and say where the last one was struck; None where it was not."""
    struck = folder / "struck.json"
    found = Struck(**json.loads(struck.read_text(encoding="utf-8"))) if struck.exists() else None
    for name in ("conftest.py", "strike.json", "struck.json", PARTS):
        (folder / name).unlink(missing_ok=True)
    return found


def parts(folder: Path) -> list[Mapping[str, object]]:
    """Give what stands for steps in the run that is over, in the form of steps."""
    return [*json.loads((folder / PARTS).read_text(encoding="utf-8"))]
