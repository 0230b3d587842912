"""How a web server is asked that only the other end of a connection can reach."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress

from deploy_plugin.errors import StepFailed
from deploy_plugin.server import http
from deploy_plugin.server.base import Answer, quote

ANSWER_TIMEOUT = 10
"""Seconds that a web server may take for one answer."""
# The request comes on stdin, the answer goes to stdout. $1: address, $2: port, $3: seconds that it may take.
_ASK = """
there() { command -v "$1" >/dev/null; }
there bash && exec timeout "$3" bash -c 'exec 3<>"/dev/tcp/$0/$1" && cat >&3 && exec cat <&3' "$1" "$2"
there nc && exec timeout "$3" nc "$1" "$2"
exit 44
"""
_NOTHING_TO_ASK_WITH = 44
# The same, for as long as either side has something to say. $1: address, $2: port.
_DIAL = """
command -v bash >/dev/null && exec bash -c 'exec 3<>"/dev/tcp/$0/$1" && { cat >&3 & exec cat <&3; }' "$1" "$2"
exec nc "$1" "$2"
"""


def through(pipe: Sequence[str], request: bytes) -> Answer:
    """Ask through a command that is a pipe to it; OSError where nobody answers.

    It stays open until the answer is there: who sees it half closed may take us for gone.
    """
    with subprocess.Popen(
        pipe, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        assert process.stdin is not None  # noqa: S101 - for mypy: they are pipes
        assert process.stdout is not None  # noqa: S101
        late = threading.Timer(ANSWER_TIMEOUT, process.kill)
        late.start()
        try:
            with suppress(BrokenPipeError):  # what it said all the same is the answer
                process.stdin.write(request)
                process.stdin.flush()
            return http.read(process.stdout)
        except ConnectionError as error:
            if late.is_alive():
                raise
            raise _late() from error
        finally:
            late.cancel()
            process.kill()
            with suppress(BrokenPipeError):
                process.stdin.close()


def there(login: Sequence[str], address: str, port: int, request: bytes) -> Answer:
    """Ask with what there is on the server, by a command for ``login``; ``StepFailed`` where there is nothing."""
    command = quote(("sh", "-c", _ASK, "sh", address, str(port), str(ANSWER_TIMEOUT)))
    try:
        done = subprocess.run(
            [*login, command],
            input=request,
            capture_output=True,
            check=False,
            timeout=ANSWER_TIMEOUT,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as error:
        raise _late() from error
    if done.returncode == _NOTHING_TO_ASK_WITH:
        raise StepFailed(
            "The app can't be asked: sshd on the server forwards no ports, and there is neither bash nor nc there.",
            hint=f"Allow it for this user in sshd_config (AllowTcpForwarding {address}:{port}), or install one.",
        )
    return http.answer(done.stdout)


def dialling(address: str, port: int) -> str:
    """Give the command for the server that is a pipe to that port."""
    return quote(("sh", "-c", _DIAL, "sh", address, str(port)))


def dial(pipe: Sequence[str]) -> socket.socket:
    """Connect through a command that is a pipe; it ends with the connection."""
    here, theirs = socket.socketpair()
    with theirs:
        ends = theirs.fileno()
        process = subprocess.Popen(pipe, stdin=ends, stdout=ends, stderr=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=process.wait, name="dial", daemon=True).start()
    return here


def _late() -> TimeoutError:
    return TimeoutError(f"no answer within {ANSWER_TIMEOUT} s")
