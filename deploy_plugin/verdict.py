"""What the tests say of a deploy: whether it stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

NOT_TRIED = (
    "No test failed, but {count} could not be tried (an error in a fixture says nothing of the site): "
    "the new release is kept, unverified."
)
KEPT = "Tests failed, and the new release is kept, to be looked at (on_failure): {name} serves."
NOTHING_BEFORE = "Tests failed, and there is no release to go back to: {name} serves."


class Word(StrEnum):
    """A verdict."""

    VERIFIED = "verified"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    UNTRIED = "untried"
    """No test said anything: all were skipped, or there was none."""


@dataclass(slots=True)
class Verdict:
    """Counts reports as they come in: of a test that is tried again, the last."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    """Fixtures that failed: a missing browser is not the site's fault."""
    well_in: set[str] = field(default_factory=set)
    """The files, from the root folder, of tests that went as they should."""

    def hear(self, when: str | None, outcome: str, file: str = "", *, expected: bool = False) -> None:
        """``expected``: whether it failed, as its author said that it would."""
        if outcome == "failed":
            if when == "call":
                self.failed += 1
            else:
                self.errors += 1
        self.passed += outcome == "passed" and when == "call"
        if when == "call" and (outcome == "passed" or expected):
            self.well_in.add(file)

    def word(self, *, interrupted: bool) -> Word:
        """``interrupted``: whether somebody ended the tests before they were over."""
        if self.failed or interrupted:
            return Word.FAILED
        if self.errors:
            return Word.INCONCLUSIVE
        return Word.VERIFIED if self.passed else Word.UNTRIED

    def covers(self, folders: Iterable[str]) -> bool:
        """Whether a test of each folder went well: those that look at the server alone say nothing of the site."""
        return all(any(file.startswith(f"{folder}/") for file in self.well_in) for folder in folders)
