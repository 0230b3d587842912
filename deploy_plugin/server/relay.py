"""A socket on this machine behind which a command speaks: a process of its own for each who calls."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread

ENDING_TIMEOUT = 5
"""Seconds that a process has to end when it is told to."""
_TAIL = 2000


class Relay:
    """Listens at ``path``, in place of whatever is there, until it is closed.

    Who calls speaks to the command itself: the connection is its stdin and its stdout, so no byte passes through
    Python, and the end of what either side says reaches the other.
    """

    def __init__(self, path: Path, argv: Sequence[str]) -> None:
        self._path = path
        self._argv = argv
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the relay
        self._running: list[subprocess.Popen[bytes]] = []
        self._listening = socket.socket(socket.AF_UNIX)
        new = path.with_name(f"{path.name}.new")
        self._listening.bind(str(new))
        self._listening.listen()
        new.rename(path)
        self._stop, self._stopped = socket.socketpair()
        self._thread = Thread(target=self._serve, name=f"relay at {path}", daemon=True)
        self._thread.start()

    @property
    def said(self) -> str:
        """The end of what the commands printed to stderr."""
        file = self._errors.fileno()
        start = max(0, os.fstat(file).st_size - _TAIL)
        return os.pread(file, _TAIL, start).decode(errors="replace").strip()  # seeking would move the processes, too

    def close(self) -> None:
        """Take no more calls, hang up those that go on, and leave no process and no socket."""
        self._stop.close()
        self._thread.join()
        self._path.unlink(missing_ok=True)
        running = [process for process in self._running if process.poll() is None]
        for process in running:
            os.killpg(process.pid, signal.SIGTERM)
        for process in running:
            try:
                process.wait(ENDING_TIMEOUT)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for one in (self._listening, self._stopped, self._errors):
            one.close()

    def _serve(self) -> None:
        while self._stopped not in select.select([self._listening, self._stopped], [], [])[0]:
            connection, _ = self._listening.accept()
            with connection, suppress(OSError):  # where no process can be started, the caller is hung up on
                self._running = [process for process in self._running if process.poll() is None]
                self._running.append(
                    subprocess.Popen(
                        self._argv,
                        stdin=connection.fileno(),
                        stdout=connection.fileno(),
                        stderr=self._errors,
                        start_new_session=True,  # Ctrl-C is for us, not for what we tidy up through
                    )
                )
