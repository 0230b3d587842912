"""What a run of the benchmark might have measured."""

from __future__ import annotations

from benchmarks.floor import HANDSHAKE, PYTEST_ITSELF
from benchmarks.measured import Heavy, Measured, Sample
from benchmarks.tools import ANSIBLE, OURS, PYINFRA


def sample(number: int, tool: str, seconds: float, situation: str = "nothing") -> Sample:
    steps = {"Build image": seconds / 2, "Preflight": 0.001} if tool == OURS else {}
    return Sample(number, situation, tool, seconds, 2_500_000, 40_000, 50_000_000, steps)


RESULT = Measured(
    when="2026-11-24 12:00 UTC",
    machine={"processor": "A <fast> one, 2 cores"},
    versions={"pytest": "9.2.0"},
    samples=[
        # The second round found the machine busy: everybody took twice as long.
        *(sample(0, tool, seconds) for tool, seconds in ((OURS, 1.0), (PYINFRA, 4.0), (ANSIBLE, 6.0))),
        *(sample(1, tool, seconds) for tool, seconds in ((ANSIBLE, 12.0), (OURS, 2.0), (PYINFRA, 8.0))),
        *(sample(2, tool, seconds) for tool, seconds in ((PYINFRA, 5.0), (ANSIBLE, 7.0), (OURS, 1.0))),
        sample(0, OURS, 3.0, "line"),
        sample(0, PYINFRA, 6.0, "line"),
        sample(0, ANSIBLE, 9.0, "line"),
    ],
    floor={PYTEST_ITSELF: [0.4, 0.5, 0.6], HANDSHAKE: [0.2, 0.1, 0.2]},
    heavy=Heavy(410_000_000, 90_000_000, 12.3),
)
