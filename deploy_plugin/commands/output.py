"""What a command prints, for people and for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def warn(text: str) -> None:
    """Say something that is no part of what was asked for: on stderr."""
    sys.stderr.write(f"{text}\n")


def say_json(what: object) -> None:
    say(json.dumps(what, indent=2))


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Align the cells of some rows below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in padded)
