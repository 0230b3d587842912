"""Everything that this package raises on purpose.

::

    DeployError                 exit 30: stopped, and nothing that visitors see has changed
    ├── ConfigError             exit 4: refused before anything was contacted
    ├── Unreachable             the server did not let us in, or went away
    ├── StepFailed              a step could not do its work
    ├── LeaseHeld               somebody else is at work on the app there
    ├── LeaseLost               somebody else may be at work there by now: this run changes nothing more
    ├── NotYetKnown             a plan can't say it: something before it has to be done first
    └── RollbackFailed          exit 31: the server's state is unknown

Each is shown as sentences, never as a traceback: what was given, what came back, what to do next. An exception that
is not one of these is a bug, and keeps its traceback.
"""

from __future__ import annotations

import re
from typing import ClassVar


class DeployError(Exception):
    """What was tried, what came back and what to do next.

    ``got`` is shown below the sentence, as it came (the end of a log, of a build); ``hint`` comes last.
    """

    exit_code: ClassVar[int] = 30

    def __init__(self, message: str, *, got: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.got = _without_empty_ends(got)
        self.hint = hint

    def __str__(self) -> str:
        got = "\n".join(f"    {line}" for line in self.got.splitlines())
        return "\n".join(part for part in (self.message, got, self.hint) if part)


class ConfigError(DeployError):
    """The options, ``deploy.toml`` or this machine don't allow it; nothing was contacted."""

    exit_code = 4


class Unreachable(DeployError):
    """No connection to the server, or it broke."""


class StepFailed(DeployError):
    """A step could not do its work; what served before still serves."""


class LeaseHeld(DeployError):
    """Somebody else changes the app on that server; nothing was changed."""


class LeaseLost(DeployError):
    """The run may not change anything any more: it was away for too long, or was told to stop."""


class NotYetKnown(DeployError):
    """What a step would find depends on something that is not there yet; only a plan meets this."""


class RollbackFailed(DeployError):
    """What served before could not be brought back."""

    exit_code = 31


class ServerWarning(UserWarning):
    """Something on the server that no deploy is to blame for, and that somebody should look at."""


def _without_empty_ends(text: str) -> str:
    """Keep the first line's indentation: what comes back may be a piece of code, or of a traceback."""
    return re.sub(r"\A(?:[^\S\n]*\n)+", "", text).rstrip()
