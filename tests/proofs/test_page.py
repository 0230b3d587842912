"""What was found is kept, and shown as it is: what is not well, too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from proofs import page, results
from proofs.aims import DOWNTIME, ROLLBACK
from proofs.results import Results
from tests.documents import DOCS
from tests.proofs.found import ABOUT, LOAD, RESULTS, WELL, blow


def test_what_was_found_is_read_as_it_was_written(tmp_path: Path) -> None:
    results.write(tmp_path / results.FILE, RESULTS)
    assert results.read(tmp_path / results.FILE) == RESULTS
    assert [path.name for path in tmp_path.iterdir()] == [results.FILE]


def test_one_proof_leaves_what_another_found(tmp_path: Path) -> None:
    file = tmp_path / results.FILE
    results.keep(file, load=LOAD, about={"load": [ABOUT]})
    results.keep(file, kills=RESULTS.kills, about={"kills": [ABOUT]})
    results.keep(file, faults=RESULTS.faults, about={"faults": [ABOUT]})
    assert results.read(file) == RESULTS


@pytest.mark.parametrize(
    "wrong",
    [
        {"load": replace(LOAD, failures=["page at 1.00 s: status 502"])},
        {"kills": [replace(RESULTS.kills[0], failed=1)]},
        {"kills": [replace(RESULTS.kills[0], left="superlists-2-migrate")]},
        {"faults": [replace(RESULTS.faults[0], exit_code=30)]},
        {"faults": [replace(RESULTS.faults[0], then=replace(WELL, lost=1))]},
    ],
)
def test_one_thing_that_is_not_so_is_enough(wrong: dict[str, Any]) -> None:
    assert RESULTS.is_well
    assert not replace(RESULTS, **wrong).is_well


def test_nothing_is_read_where_there_is_nothing(tmp_path: Path) -> None:
    assert results.read(tmp_path / results.FILE) == Results()


def test_the_page_shows_rate_failures_and_latencies() -> None:
    shown = page.every(RESULTS)
    assert "59,920 in 200 s, 300 a second (300 were due): 50,000 page, 9,920 write" in shown
    assert "- Failed: **0**" in shown
    assert (
        "| a deploy of a changed line |     2 |   9.4 s |              5,000 |  **0** | 5 ms | 90 ms | 180 ms |"
        in shown
    )


def test_the_page_counts_kills_by_step() -> None:
    shown = page.every(RESULTS)
    assert "- Kills: **3**, of deploys with a migration: 2" in shown
    assert "- Of the process with its ssh: 0; of the process alone: 3" in shown
    assert "| Switch            |     2 |          **0** |" in shown
    assert "- The next deploy did not succeed: **0**; left something behind: **0**" in shown


def test_kills_of_other_runs_are_told_apart_and_what_visitors_saw_of_a_downtime() -> None:
    closed = replace(blow(3, "Migrate, as it acts"), run=DOWNTIME, migrates=True, closed=40)
    back = replace(blow(5, "Tell the proxy, as it begins"), run=ROLLBACK, migrates=True)
    shown = page.every(replace(RESULTS, kills=[*RESULTS.kills, closed, back]))
    assert "- Kills: **5**, of deploys with a migration: 3" in shown
    assert "- Among them, of a deploy with a downtime: 1\n- Among them, of a rollback: 1" in shown
    assert "- Requests that got the maintenance page meanwhile, of a downtime: 40" in shown
    assert "| deploy with a downtime: Migrate |     1 |          **0** |" in shown
    assert "| rollback: Tell the proxy        |     1 |          **0** |" in shown
    assert "Among them" not in page.every(RESULTS)


def test_what_is_not_well_is_counted_and_told() -> None:
    bad = replace(WELL, answers=False, lost=3, integrity="malformed")
    kills = [blow(0, "Migrate, as it acts", found=bad), blow(1, "Switch, as it looks", exit_code=30)]
    shown = page.every(replace(RESULTS, kills=kills, load=replace(LOAD, failures=["page at 1.00 s: status 502"])))
    assert "- The site did not answer: **1**" in shown
    assert "- Acknowledged rows missing: **3**" in shown
    assert "- integrity_check not ok: **1**" in shown
    assert "- The next deploy did not succeed: **1**" in shown
    assert "Switch, as it looks (0.25 s): right after" in shown
    assert "- Failed: **1**" in shown
    assert "- page at 1.00 s: status 502" in shown


def test_what_was_never_made_is_said_to_be_missing() -> None:
    assert page.every(Results()).count("Not made yet.") == 3


def test_prose_around_the_tables_stays(tmp_path: Path) -> None:
    file = tmp_path / page.PAGE
    file.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n", encoding="utf-8")
    page.draw(RESULTS, tmp_path)
    text = file.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "9,920 write" in text


def test_a_page_without_its_markers_is_refused(tmp_path: Path) -> None:
    (tmp_path / page.PAGE).write_text("prose", encoding="utf-8")
    with pytest.raises(ValueError, match="needs <!-- found"):
        page.draw(RESULTS, tmp_path)


def test_the_page_shows_what_was_kept() -> None:
    text = (DOCS / page.PAGE).read_text(encoding="utf-8")
    assert page.every(results.read(DOCS / results.FILE)) in text
