"""What a command prints, for people and for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from deploy_plugin.errors import StepFailed

YES = ("y", "yes")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def warn(text: str) -> None:
    """Say something that is no part of what was asked for: on stderr."""
    sys.stderr.write(f"{text}\n")


def require_consent() -> None:
    """Ask whether that is meant; ``StepFailed`` where it is not, or where nobody can be asked."""
    if not sys.stdin.isatty():
        raise StepFailed("Nobody can be asked whether that is meant; nothing was changed.", hint="Say so with --yes.")
    warn("Do it? [y/N]")
    if sys.stdin.readline().strip().lower() not in YES:
        raise StepFailed("Nothing was changed.")


def when(moment: str | None) -> str:
    """Show a moment as Docker and the records say it, to the second: Docker counts in billionths."""
    return f"{moment[:10]} {moment[11:19]} UTC" if moment else "?"


def say_json(what: object) -> None:
    say(json.dumps(what, indent=2))


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Align the cells of some rows below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in padded)
