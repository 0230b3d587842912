"""How things are told in few words."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 3
"""As many as a line holds."""


def few(names: Sequence[str]) -> str:
    """Name the first of them, and say how many more there are."""
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown
