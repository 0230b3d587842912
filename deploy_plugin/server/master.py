"""The one connection to a server that all of a run goes over: ssh, with a shell at its other end."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

from deploy_plugin.errors import Unreachable
from deploy_plugin.server.shell import Shell

_HELLO = b"connected\n"
_SHELL = "sh"
"""Answers as soon as we are logged in, and ends by itself when this process does."""

_CHANGED = "REMOTE HOST IDENTIFICATION HAS CHANGED"
# What ssh says, and what to do about it. ssh has one exit code for all of it.
_HINTS = {
    _CHANGED: (
        "The host key is not the one that is known: the server was installed anew, or somebody stands in between. "
        "Compare its fingerprint with the server's; only then remove the old key with ssh-keygen -R."
    ),
    "Host key verification failed": (
        "The host key is not known yet. Connect once with ssh, and compare its fingerprint with the server's."
    ),
    "Permission denied": (
        "The server does not take your key: check the user's name, and the key (ssh-add -l, --ssh-identity-file)."
    ),
    "Could not resolve hostname": "There is no such host: check the spelling.",
    "Connection refused": "Nothing listens there: check the host and the port, and that sshd runs.",
    "timed out": "No answer: check the host, your network and the firewall.",
    "No route to host": "No way to it: check the host and your network.",
}


def dial(argv: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Begin to log in, and give ssh's process; what it says is in ``log``."""
    with log.open("wb") as errors:
        return _greeting(argv, errors)


def answered(master: subprocess.Popen[bytes], log: Path, destination: str) -> Shell:
    """Wait until we are logged in, and give the shell that runs there; ``Unreachable`` where we can't be."""
    import docker  # noqa: F401 - it takes as long as a handshake: both at once, and nothing waits for it later

    try:
        return _answering(master)
    except EOFError:
        said = log.read_text(encoding="utf-8", errors="replace")
        raise Unreachable(f"{destination} can't be reached.", got=_last_words(said), hint=_hint(said)) from None


def shell(argv: Sequence[str]) -> tuple[subprocess.Popen[bytes], Shell]:
    """Open one more, in a session of its own on a connection that is there; ``EOFError`` where that can't be."""
    session = _greeting(argv, subprocess.DEVNULL)
    return session, _answering(session)


def hang_up(ssh: subprocess.Popen[bytes]) -> None:
    """End a connection or a session, also where a command still runs at the other end; it need not agree to that."""
    ssh.terminate()
    for pipe in (ssh.stdin, ssh.stdout):  # after the signal: ssh may miss it, and see it when its stdin ends
        if pipe:
            with suppress(BrokenPipeError):
                pipe.close()
    try:
        ssh.wait(timeout=5)
    except subprocess.TimeoutExpired:
        ssh.kill()
        ssh.wait()


def _greeting(argv: Sequence[str], errors: IO[bytes] | int) -> subprocess.Popen[bytes]:
    ssh = subprocess.Popen(
        [*argv, "--", _SHELL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,  # Ctrl-C is for us, not for the connection that we tidy up through
    )
    assert ssh.stdin is not None  # noqa: S101 - for mypy: it is a pipe
    with suppress(BrokenPipeError):
        ssh.stdin.write(b"echo " + _HELLO)
        ssh.stdin.flush()
    return ssh


def _answering(ssh: subprocess.Popen[bytes]) -> Shell:
    """Wait until the greeting comes back; where it does not, hang up, and raise ``EOFError``."""
    assert ssh.stdin is not None  # noqa: S101 - for mypy: they are pipes
    assert ssh.stdout is not None  # noqa: S101
    if ssh.stdout.readline() != _HELLO:
        hang_up(ssh)
        raise EOFError
    return Shell(ssh.stdin, cast("BufferedReader", ssh.stdout))


def _hint(said: str) -> str:
    return next((hint for phrase, hint in _HINTS.items() if phrase in said), "Try the same with ssh -v.")


def _last_words(said: str) -> str:
    """Leave out the frame of a warning; of a changed host key, all but the key and where the known one stands."""
    lines = [line.strip() for line in said.splitlines() if line.strip("@ ")]
    if _CHANGED in said:
        lines = [line for line in lines if line.startswith(("SHA256:", "Offending")) or line == lines[-1]]
    return "\n".join(lines)[-1500:]
