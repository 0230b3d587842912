"""Lines of shell as root, for a user who may become it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_plugin.secret import Secret
from deploy_plugin.server.base import Result
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

Ask = Callable[[str], Secret | None]
"""Asks a person, who sees the sentence; None where nobody is there."""
_TERMINAL = Path("/dev/tty")
WANTS_PASSWORD = b"password is required"


def as_root(server: Server, text: str, *arguments: str, ask: Ask) -> Result:
    """Run it as root; a password that sudo wants is asked for here, and goes there on stdin."""
    facts = server.facts
    if facts.uid == 0:
        return script(server, text, *arguments)
    there = ("sh", "-c", text, "sh", *arguments)
    done = server.run("sudo", "-n", *there)
    if done.ok or WANTS_PASSWORD not in done.stderr:
        return done
    password = ask(f"\nsudo on the server wants the password of {facts.user}: ")
    if password is None:
        return done
    return server.run("sudo", "-S", "-p", "", *there, stdin=password.reveal().encode() + b"\n")


def ask_at_terminal(sentence: str) -> Secret | None:
    """Ask at the terminal that shows this run; None where its output goes elsewhere."""
    with suppress(OSError, EOFError):
        if os.isatty(1):
            _TERMINAL.open("rb").close()  # where it can't be opened, getpass falls back to a stdin that shows all
            return Secret(getpass(sentence))
    return None
