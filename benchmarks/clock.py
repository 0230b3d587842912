"""Time a command from outside, as its user waits for it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECONDS_AT_MOST = 900
LAST_LINES = 40
KIB = 1024


class Failed(Exception):
    """A command failed, or did not do what it was to do: there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed, where, and with what in the environment."""

    argv: Sequence[str]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Timed:
    """What a command took."""

    seconds: float
    peak_memory: int
    """Bytes, of the largest process among it and the children it waited for; Linux counts who started it as well, so
    that it is never less than this process had."""
    output: str


def timed(command: Command) -> Timed:
    """Run it to its end; ``Failed``, with the end of its output, where its exit code is not 0."""
    # A file, not a pipe: a connection that stays open in the background would hold the pipe.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as shown:
        started = time.perf_counter()
        process = subprocess.Popen(
            command.argv,
            cwd=command.folder,
            env={**environment(), **command.env},
            stdin=subprocess.DEVNULL,
            stdout=shown,
            stderr=subprocess.STDOUT,
        )
        deadline = threading.Timer(SECONDS_AT_MOST, process.kill)
        deadline.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
        finally:
            deadline.cancel()
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        shown.seek(0)
        output = shown.read()
    if process.returncode != 0:
        end = "\n".join(output.splitlines()[-LAST_LINES:])
        raise Failed(f"{' '.join(command.argv)}\nended with exit code {process.returncode}:\n{end}")
    return Timed(seconds, used.ru_maxrss * KIB, output)


def environment() -> dict[str, str]:
    """Give this process's, without what would change how a tool works.

    One that is installed has its bytecode, and so has ours after its first run, unless Python is told not to keep it.
    """
    changes = ("ANSIBLE_", "PYTEST_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(changes)}


def said(*argv: str, folder: Path | None = None) -> str:
    """Run what is not measured, and give what it printed."""
    try:
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    except subprocess.CalledProcessError as error:
        raise Failed(f"{' '.join(argv)}\nended with exit code {error.returncode}:\n{error.stderr}") from error
    return done.stdout.strip()
