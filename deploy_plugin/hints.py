"""What to do about words that come from the server: from Docker, Django, the kernel there."""

from __future__ import annotations

import re

_FULL = "The server's disk is full: look there with df -h and docker system df, make room, then deploy again."
_NOT_WRITABLE = (
    "The app can't write its database: [database] path in deploy.toml must be the path that its settings name, "
    "and on the server its folder must belong to the user that deploys."
)
_PHRASES = {
    "no space left on device": _FULL,
    "database or disk is full": _FULL,
    "disk quota exceeded": _FULL,
    "readonly database": _NOT_WRITABLE,
    "unable to open database file": _NOT_WRITABLE,
    "exec format error": "The image is for another kind of processor than the server's: see platform in deploy.toml.",
}
_MISSING_KEY = re.compile(r"^KeyError: '([A-Z][A-Z0-9_]*)'$", re.MULTILINE)


def hint_for(said: str, otherwise: str = "") -> str:
    """Say what to do about what came back; ``otherwise`` where nothing in it is known."""
    if missing := missing_key(said):
        return f"The app wants {missing} in its environment: give it in [app.env] or [app.secrets] of deploy.toml."
    lower = said.lower()
    return next((hint for phrase, hint in _PHRASES.items() if phrase in lower), otherwise)


def is_full_disk(said: str) -> bool:
    return hint_for(said) == _FULL


def missing_key(said: str) -> str | None:
    """Name the environment variable that a Python program asked for in vain."""
    found = _MISSING_KEY.search(said)
    return found[1] if found else None
