"""The few sums behind the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of some figures, and how far they go."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        return cls(median(figures), min(figures), max(figures))


def ratio(theirs: Sequence[float], ours: Sequence[float]) -> Spread:
    """Compare round with round, in each of which the machine was as busy for one as for the other."""
    return Spread.of([their / our for their, our in zip(theirs, ours, strict=True)])
