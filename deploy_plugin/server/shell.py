"""The shell at the other end of a connection: what it runs needs no session of its own, which takes the most time."""

from __future__ import annotations

import base64
import secrets
import threading
from typing import TYPE_CHECKING, Protocol

from deploy_plugin.server.base import Result

if TYPE_CHECKING:
    from io import BufferedReader

# What a command prints goes its way as it comes; what became of it follows, between two marks that nobody can foresee.
# It is one compound command: of one that arrives only in part, nothing runs. File 3 is not left to what stays behind.
_ONE = """\
{{ exec 3>&1; err=$({command} 2>&1 >&3 3>&-); printf '{mark} %s\\n%s\\n{mark}\\n' "$?" "$err"; exec 3>&-; }}
"""
# What a command gets to read can be secret: a builtin gives it on, so that it is never an argument, nor in a file.
_FED = "{{ printf %s {stdin} | base64 -d | {command}; }}"
_CAN_FEED = "case $(type printf) in *builtin*) command -v base64 ;; *) exit 1 ;; esac"
FED = 100_000
"""Bytes that a command can be given here."""
_CHUNK = 65536


class Busy(Exception):
    """Another command runs there, or may: it was left before it had ended."""


class Unfit(Exception):
    """The command is none for a shell that stays: what it is to read can't be given to it there."""


class Writer(Protocol):
    """What is used of the shell's stdin."""

    def write(self, text: bytes, /) -> object: ...

    def flush(self) -> None: ...


class Shell:
    """One command at a time, through the pipes of a POSIX shell that reads its script from stdin."""

    def __init__(self, stdin: Writer, stdout: BufferedReader) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._turn = threading.Lock()
        self._can_feed: bool | None = None
        self.left = False
        """Whether a command was left before it had ended: nothing more is run then."""

    def run(self, command: str, stdin: bytes = b"") -> Result:
        """Run what is quoted for a shell; ``Busy`` or ``Unfit`` at once, ``EOFError`` where the connection ends.

        What it says on stderr comes without the line ends behind it.
        """
        if len(stdin) > FED:
            raise Unfit
        if self.left or not self._turn.acquire(blocking=False):
            raise Busy
        try:
            self.left = True
            result = self._fed(command, stdin) if stdin else self._run(f"{command} </dev/null")
            self.left = False
        finally:
            self._turn.release()
        if result is None:
            raise Unfit
        return result

    def _fed(self, command: str, stdin: bytes) -> Result | None:
        if self._can_feed is None:
            self._can_feed = self._run(f"sh -c '{_CAN_FEED}' </dev/null").ok
        fed = _FED.format(stdin=base64.b64encode(stdin).decode(), command=command)
        return self._run(fed) if self._can_feed else None

    def _run(self, command: str) -> Result:
        mark = secrets.token_hex(16)
        try:
            self._stdin.write(_ONE.format(command=command, mark=mark).encode())
            self._stdin.flush()
        except BrokenPipeError as error:
            raise EOFError from error
        begin, end = mark.encode() + b" ", f"\n{mark}\n".encode()
        said = bytearray()
        while not said.endswith(end):
            chunk = self._stdout.read1(_CHUNK)
            if not chunk:
                raise EOFError
            said += chunk
        stdout, _, rest = bytes(said[: -len(end)]).partition(begin)
        exit_code, _, stderr = rest.partition(b"\n")
        return Result(int(exit_code), stdout, stderr)
