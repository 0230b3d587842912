"""What the proofs found: plain values, kept as JSON as they come, from which the page is drawn."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.clock import said
from proofs.blows import Blow
from proofs.load import Load
from proofs.site import Found

FILE = "reliability.json"


@dataclass(frozen=True, slots=True)
class About:
    """When and where a proof was made."""

    when: str
    """Date and time of its begin, UTC."""
    command: str
    """To repeat it."""
    machine: Mapping[str, str]
    versions: Mapping[str, str]


@dataclass
class Results:
    """The last of each proof; None, or nothing, where it was never made."""

    load: Load | None = None
    kills: list[Blow] = field(default_factory=list)
    faults: list[Blow] = field(default_factory=list)
    about: Mapping[str, Sequence[About]] = field(default_factory=dict)
    """By the proof's name; several where it was made in several parts."""

    @property
    def is_well(self) -> bool:
        """Whether all that was proven is so; no request may fail because of a killed deploy, but of a dead server."""
        load = self.load is None or self.load.is_well
        return (
            load and all(one.is_well for one in [*self.kills, *self.faults]) and not any(k.failed for k in self.kills)
        )


def about(command: str) -> About:
    """Say when, how and where: now, and here."""
    return About(
        when=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        command=command,
        machine={**machine.describe(), "load": f"load average {os.getloadavg()[0]:.1f}"},
        versions={
            "pytest-deploy": f"{version('pytest-deploy')}, commit {machine.commit()}",
            "pytest": version("pytest"),
            "Python": platform.python_version(),
            "OpenSSH": machine.openssh(),
            "Docker": said("docker", "version", "--format", "{{.Server.Version}}"),
        },
    )


def read(path: Path) -> Results:
    """Give what is there; nothing where there is no file."""
    if not path.exists():
        return Results()
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return Results(
        load=Load.read(found["load"]) if found["load"] else None,
        kills=[*map(_blow, found["kills"])],
        faults=[*map(_blow, found["faults"])],
        about={name: [About(**one) for one in every] for name, every in found["about"].items()},
    )


def keep(path: Path, *, about: Mapping[str, Sequence[About]], **parts: object) -> None:
    """Put parts of it in the place of what is kept there of them; another proof may keep its own at the same time."""
    found = replace(read(path), **parts)  # type: ignore[arg-type]
    write(path, replace(found, about={**found.about, **about}))


def write(path: Path, results: Results) -> None:
    """Keep it, whole or not at all."""
    half = path.with_name(path.name + ".half")
    half.write_text(json.dumps(asdict(results), indent=1) + "\n", encoding="utf-8")
    half.rename(path)


def _blow(said: Mapping[str, Any]) -> Blow:
    return Blow(**{**said, "found": Found(**said["found"]), "then": Found(**said["then"])})
