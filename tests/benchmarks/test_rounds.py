"""A benchmark that is stopped keeps what was measured whole."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import whole_rounds
from benchmarks.measured import Sample


def samples(*rounds: int) -> list[Sample]:
    return [Sample(number, "nothing", "pyinfra", 1.0, 1, 1, 1) for number in rounds]


def test_the_round_that_was_stopped_does_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    found = samples(0, 0, 1, 1, 2)
    with whole_rounds(found):
        raise KeyboardInterrupt
    assert found == samples(0, 0, 1, 1)
    assert "2 whole rounds count" in capsys.readouterr().err


@pytest.mark.parametrize("rounds", [(), (0, 0)])
def test_without_a_whole_round_nothing_counts(rounds: tuple[int, ...]) -> None:
    with pytest.raises(KeyboardInterrupt), whole_rounds(samples(*rounds)):
        raise KeyboardInterrupt


def test_one_that_ends_counts_whole() -> None:
    found = samples(0, 1)
    with whole_rounds(found):
        pass
    assert found == samples(0, 1)
