from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import tables
from benchmarks.arithmetic import Spread, ratio
from tests.benchmarks.results import RESULT


def cells(table: str, row: str) -> list[str]:
    line = next(line for line in table.splitlines() if line.startswith(f"| {row} "))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_a_spread_is_the_middle_and_both_ends() -> None:
    assert Spread.of([3.0, 1.0, 2.0, 9.0]) == Spread(2.5, 1.0, 9.0)


def test_a_ratio_compares_round_with_round() -> None:
    assert ratio([6.0, 12.0, 7.0], [1.0, 2.0, 1.0]) == Spread(6.0, 6.0, 7.0)


def test_rounds_that_somebody_missed_are_not_compared() -> None:
    with pytest.raises(ValueError, match="longer than argument 1"):
        ratio([6.0], [1.0, 2.0])


def test_seconds_show_every_tool_and_the_ratios_of_the_same_round() -> None:
    shown = tables.seconds(RESULT)
    assert cells(shown, "Nothing changed") == [
        "1.00 (1.00 to 2.00)",
        "5.00 (4.00 to 8.00)",
        "7.00 (6.00 to 12.00)",
        "4.0x (4.0 to 5.0)",
        "6.0x (6.0 to 7.0)",
    ]
    assert cells(shown, "One line changed") == ["3.00", "6.00", "9.00", "2.0x", "3.0x"]


def test_situations_that_nobody_met_have_no_row() -> None:
    assert "First deploy" not in tables.every(RESULT)


def test_without_our_own_figures_nothing_is_compared() -> None:
    theirs = replace(RESULT, samples=[sample for sample in RESULT.samples if sample.tool == "pyinfra"])
    assert cells(tables.seconds(theirs), "Nothing changed") == ["5.00 (4.00 to 8.00)"]


def test_goals_are_held_against_the_ratios() -> None:
    rows = tables.goals(RESULT).splitlines()[2:]
    said = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert said == [
        ["Nothing changed", "Ansible", "7x", "6.0x", "missed"],
        ["Nothing changed", "pyinfra", "4x", "4.0x", "reached"],
        ["One line changed", "Ansible", "8x", "3.0x", "missed"],
        ["One line changed", "pyinfra", "3x", "2.0x", "missed"],
    ]


def test_traffic_goes_both_ways() -> None:
    assert cells(tables.traffic(RESULT), "Nothing changed")[0] == "2.50 + 0.04"


def test_memory_names_the_big_image() -> None:
    assert cells(tables.memory(RESULT), "pytest-deploy, shipping an image of 410 MB") == ["90 MB"]


def test_the_floor_says_how_far_above_it_we_are() -> None:
    shown = tables.lowest(RESULT)
    assert "= 0.70 s. Ours took 1.00 s, 0.30 s more." in shown
    assert "One line changed:" not in shown, "its floor was not measured"


def test_steps_that_take_no_time_are_left_out() -> None:
    shown = tables.steps(RESULT)
    assert cells(shown, "Build image") == ["0.50", "1.50"]
    assert "Preflight" not in shown


def test_the_columns_of_a_table_stand_below_each_other() -> None:
    lines = tables.table(["", "seconds"], [["a long name", "1.00"], ["b", "10.00"]]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1] == "| ----------- | ------: |"


def test_words_are_set_left() -> None:
    assert tables.table(["", "what"], [["kernel", "Linux"]], words=True).splitlines()[1] == "| ------ | ----- |"
