"""Values that must not be seen."""

from __future__ import annotations

import secrets
import string

MASK = "********"
_ALPHABET = string.ascii_letters + string.digits


class Secret:
    """A value that shows itself as ``********``; ``reveal()`` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    @classmethod
    def generate(cls, length: int) -> Secret:
        """Make ``length`` random letters and digits: safe in an env file, a URL and a shell."""
        return cls("".join(secrets.choice(_ALPHABET) for _ in range(length)))

    def reveal(self) -> str:
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and secrets.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __str__(self) -> str:
        return MASK

    __repr__ = __str__
