"""What counts of a test run as a word on the deploy."""

from __future__ import annotations

import pytest

from deploy_plugin.verdict import Verdict, Word

PASSED, FAILED, ERROR, RERUN, SKIPPED = (
    ("call", "passed"),
    ("call", "failed"),
    ("setup", "failed"),
    ("call", "rerun"),
    ("setup", "skipped"),
)


@pytest.mark.parametrize(
    ("reports", "interrupted", "word"),
    [
        ([("setup", "passed"), PASSED, ("teardown", "passed")], False, Word.VERIFIED),
        ([PASSED, FAILED], False, Word.FAILED),
        ([RERUN, PASSED], False, Word.VERIFIED),
        ([PASSED, ERROR], False, Word.INCONCLUSIVE),
        ([PASSED, ("teardown", "failed")], False, Word.INCONCLUSIVE),
        ([FAILED, ERROR], False, Word.FAILED),
        ([PASSED], True, Word.FAILED),
        ([SKIPPED], False, Word.UNTRIED),
        ([], False, Word.UNTRIED),
    ],
)
def test_the_word(reports: list[tuple[str, str]], interrupted: bool, word: Word) -> None:  # noqa: FBT001
    verdict = Verdict()
    for when, outcome in reports:
        verdict.hear(when, outcome)
    assert verdict.word(interrupted=interrupted) is word
