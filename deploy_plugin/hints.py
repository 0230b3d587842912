"""What to do about words that come from others: Docker, Django, the kernel."""

from __future__ import annotations

import re

FULL = "Its disk is full. Look there with df -h and docker system df, make room, then deploy again."
_NOT_WRITABLE = (
    "The app can't write its database: [database] path in deploy.toml must be the path that its settings name, "
    "and on the server its folder must belong to the user that deploys."
)
_PHRASES = {
    "no space left on device": FULL,
    "database or disk is full": FULL,
    "disk quota exceeded": FULL,
    "readonly database": _NOT_WRITABLE,
    "unable to open database file": _NOT_WRITABLE,
    "exec format error": "The image is for another kind of processor than the server's: see platform in deploy.toml.",
}
_MISSING_KEY = re.compile(r"^KeyError: '([A-Z][A-Z0-9_]*)'$", re.MULTILINE)


def hint_for(said: str, otherwise: str = "") -> str:
    """Say what to do about what came back; ``otherwise`` where nothing in it is known."""
    if missing := _MISSING_KEY.search(said):
        return f"The app wants {missing[1]} in its environment: give it in [app.env] or [app.secrets] of deploy.toml."
    lower = said.lower()
    return next((hint for phrase, hint in _PHRASES.items() if phrase in lower), otherwise)
