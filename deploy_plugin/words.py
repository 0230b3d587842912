"""How things are told in few words."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 3
"""As many as a line holds."""
_GIGABYTE, _MEGABYTE = 1_000_000_000, 1_000_000


def size(count: int) -> str:
    """Say how much so many bytes are."""
    return f"{count / _GIGABYTE:.1f} GB" if count >= _GIGABYTE else f"{count / _MEGABYTE:.1f} MB"


def few(names: Sequence[str]) -> str:
    """Name the first of them, and say how many more there are."""
    shown = ", ".join(names[:_NAMED])
    return f"{shown} and {len(names) - _NAMED} more" if len(names) > _NAMED else shown
