"""Who is at work: as others, who look at the server, are told."""

from __future__ import annotations

import getpass
import platform


def who() -> str:
    """Give ``user@machine``."""
    return f"{_user()}@{platform.node()}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
