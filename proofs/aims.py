"""Where a deploy is struck: at each boundary of each step, at moments inside each, and at any moment of the run."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

MIGRATING = ("Rehearse the migration", "Snapshot the database", "Migrate")
KILLED = {"process": "the process is killed", "group": "the process and its ssh are killed"}
_STRIKE = Path(__file__).with_name("strike.py")


@dataclass(frozen=True, slots=True)
class Aim:
    """One moment of a deploy, and what happens then."""

    step: str
    """Its title; empty where any moment of the run will do."""
    when: str
    """``before`` it looks, ``between`` looking and acting, ``after`` it, ``within`` it, or at ``any time``."""
    how: str
    """``process`` or ``group`` is killed, the process stands still (``freeze``), or a ``command`` is run."""
    what: str = ""
    """What happens, for whoever reads of it."""
    delay: float = 0
    """Seconds, for a moment within."""
    migrates: bool = False
    """Whether the deploy changes the database."""
    command: Sequence[str] = ()
    waits: bool = False
    """Whether the deploy goes on only when the command has ended."""

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
    migrates = chance.random() < 1 / 3 or step in MIGRATING
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
    for name in ("conftest.py", "strike.json", "struck.json"):
        (folder / name).unlink(missing_ok=True)
    return found
