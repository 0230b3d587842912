"""What was measured: plain values, written to JSON and read back, so that the page can be drawn again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """One command, timed once."""

    round: int
    situation: str
    tool: str
    seconds: float
    to_server: int
    """Bytes."""
    from_server: int
    peak_memory: int
    """Bytes, of the largest process."""
    steps: Mapping[str, float] = field(default_factory=dict)
    """Seconds by title, where the tool tells."""


@dataclass(frozen=True, slots=True)
class Heavy:
    """What shipping a big image took here."""

    image_bytes: int
    peak_memory: int
    """Bytes, of the largest process."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One whole run of the benchmark."""

    when: str
    """Date and time, UTC."""
    machine: Mapping[str, str]
    versions: Mapping[str, str]
    samples: Sequence[Sample]
    floor: Mapping[str, Sequence[float]]
    """Seconds of each thing that no deploy can do without, once per round."""
    heavy: Heavy | None = None

    def of(self, situation: str, tool: str) -> list[Sample]:
        """Give the samples in the order of their rounds."""
        found = [sample for sample in self.samples if (sample.situation, sample.tool) == (situation, tool)]
        return sorted(found, key=lambda sample: sample.round)

    def seconds(self, situation: str, tool: str) -> list[float]:
        return [sample.seconds for sample in self.of(situation, tool)]

    @property
    def rounds(self) -> int:
        return len({sample.round for sample in self.samples})


def write(path: Path, measured: Measured) -> None:
    path.write_text(json.dumps(asdict(measured), indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Measured:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    samples = [Sample(**sample) for sample in found.pop("samples")]
    heavy = found.pop("heavy")
    return Measured(samples=samples, heavy=heavy and Heavy(**heavy), **found)
