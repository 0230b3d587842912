"""Draw the page of results anew from what was measured: python -m benchmarks.report."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import measured, plot, tables
from benchmarks.measured import Measured
from benchmarks.project import CHECKOUT

DOCS = CHECKOUT / "docs"
BEGIN, END = "<!-- measured: written by make bench -->", "<!-- end of what was measured -->"


def main() -> int:
    draw(measured.read(DOCS / "benchmarks.json"), DOCS)
    return 0


def publish(result: Measured, folder: Path = DOCS) -> None:
    """Keep the figures, and draw the page from them."""
    measured.write(folder / "benchmarks.json", result)
    draw(result, folder)


def draw(result: Measured, folder: Path) -> None:
    page = folder / "benchmarks.md"
    page.write_text(replaced(page.read_text(encoding="utf-8"), tables.every(result)), encoding="utf-8")
    (folder / "benchmarks.svg").write_text(plot.draw(result), encoding="utf-8")


def replaced(page: str, text: str) -> str:
    """Put the text between the markers, and leave the prose around them as it is."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"The page needs {BEGIN} and, below it, {END}.")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


if __name__ == "__main__":
    sys.exit(main())
