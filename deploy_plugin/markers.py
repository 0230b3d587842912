"""The promise that a test may run against a live target."""

from __future__ import annotations

LIVE_SAFE = "live_safe"
NONDESTRUCTIVE = "nondestructive"
MARKERS = (
    f"{LIVE_SAFE}: may run against a live target; there, every other test is deselected.",
    f"{NONDESTRUCTIVE}: the same promise, in the words of pytest-selenium.",
)
