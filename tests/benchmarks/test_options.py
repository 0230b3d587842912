"""What can be typed behind python -m benchmarks."""

from __future__ import annotations

import pytest

from benchmarks.__main__ import parsed
from benchmarks.report import DOCS


def test_the_whole_benchmark_writes_the_page() -> None:
    options = parsed([])
    assert (options.runs, options.into) == (5, DOCS)


def test_a_quick_one_writes_nothing() -> None:
    options = parsed(["--quick"])
    assert (options.runs, options.into) == (1, None)


@pytest.mark.parametrize(
    ("typed", "said"),
    [("--tools=chef", "chef is none of pytest-deploy, pyinfra, Ansible"), ("--runs=0", "at least one round is needed")],
)
def test_what_can_not_be_is_refused(typed: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parsed([typed])
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
