"""A server whose home is a folder of this machine."""

from __future__ import annotations

import errno
import math
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from deploy_plugin.models import AppFolder
from deploy_plugin.server import facts, files
from deploy_plugin.server.base import Answer, Result, Shipping
from deploy_plugin.server.facts import Facts
from deploy_plugin.testing.engine import FakeEngine

COMMANDS = (
    "sh",
    "base64",
    "basename",
    "cat",
    "chmod",
    "chown",
    "cp",
    "date",
    "dd",
    "dirname",
    "flock",
    "id",
    "mkdir",
    "mktemp",
    "mv",
    "od",
    "rm",
    "sed",
    "seq",
    "setsid",
    "sha256sum",
    "stat",
    "sync",
    "tail",
    "tr",
    "uname",
)
_TRIES = 100
_PAUSE = 0.01


class FakeServer:
    """A ``Server`` that really runs what it is told to, by this machine's ``sh`` and below ``folder``.

    It finds only ``COMMANDS``, none of which reaches further than it is told to, and what a test puts beside them with
    ``install``: no step installs anything on this machine by mistake. Docker is there and may be used; change ``facts``
    where it shall not be. It needs a Linux machine, as what steps run is written for one.
    """

    def __init__(self, folder: Path, engine: FakeEngine | None = None) -> None:
        self.bytes_sent = 0
        self.shipping: Shipping | None = None
        self.engine = engine or FakeEngine()
        self.journal = self.engine.journal
        self.home = folder / "home"
        self.reconnected: Facts | None = None
        """What it is after the next ``reconnect``; as before where it is None."""
        self._dialled: list[socket.socket] = []
        self._turn = threading.Lock()
        self._commands = folder / "commands"
        for path in (self.home, self._commands):
            path.mkdir(parents=True, exist_ok=True)
        for command in COMMANDS:
            # Not links: a test that replaces one would write through it, into this machine's own.
            self.install(command, f'exec {shutil.which(command)} "$@"')
        self.facts = replace(
            facts.gather(self),
            platform="linux/amd64",
            distribution=frozenset({"debian"}),
            has_docker=True,
            docker_runs=True,
            docker_access=True,
        )

    def install(self, command: str, script: str) -> None:
        """Give the server one more command, as lines of POSIX shell."""
        # Put there whole: another process may run the one that is there, on the same server.
        with tempfile.NamedTemporaryFile("w", dir=self._commands, delete=False, encoding="utf-8") as new:
            new.write(f"#!/bin/sh\n{script}\n")
        Path(new.name).chmod(0o755)
        Path(new.name).replace(self._commands / command)

    def begin(self) -> None:
        """There is nothing to wait for."""

    def run(self, *argv: str | PurePosixPath, stdin: bytes = b"") -> Result:
        with self._turn:  # one at a time: the journal says what each of them changed
            return self._run(argv, stdin)

    def attach(self, *argv: str | PurePosixPath, terminal: bool = False) -> int:  # noqa: ARG002 - there is none
        """As ``run``; what the command prints is this process's output."""
        done = self.run(*argv)
        sys.stdout.write(done.stdout.decode())
        sys.stderr.write(done.stderr.decode())
        return done.exit_code

    def read(self, path: PurePosixPath) -> bytes | None:
        return files.read(self, path)

    def write(self, path: PurePosixPath, content: bytes, *, mode: int) -> None:
        files.write(self, path, content, mode=mode)
        self.bytes_sent += len(content)

    def get(self, address: str, port: int, path: str, *, host: str) -> Answer:
        return self.engine.ask(address, port, path, host)

    def dial(self, address: str, port: int) -> socket.socket:
        """Connect to what answers as ``get`` says, whatever is asked."""
        here, there = socket.socketpair()
        answer = self.get(address, port, "/", host="")
        there.sendall(f"HTTP/1.1 {answer.status} So\r\nConnection: close\r\n\r\n".encode() + answer.body)
        there.shutdown(socket.SHUT_WR)
        self._dialled.append(there)
        return here

    def link_speed(self) -> float:
        return math.inf

    def reconnect(self) -> None:
        self.journal.append("reconnect")
        self.facts = self.reconnected or self.facts

    def close(self) -> None:
        """Hang up on those who were dialled."""
        while self._dialled:
            self._dialled.pop().close()

    def tree(self) -> Mapping[str, object]:
        """Every path below home, with all that can change: mode, owner, size, time, and which file it is.

        But for leases: they tell that somebody looks or is at work there, and nothing of what was done.
        """
        paths = [path for path in self.home.rglob("*") if path.name != AppFolder.LEASE]
        found = ((str(path.relative_to(self.home)), path.lstat()) for path in paths)
        return {name: (st.st_mode, st.st_uid, st.st_gid, st.st_size, st.st_mtime_ns, st.st_ino) for name, st in found}

    def _finished(self, argv: Sequence[str], stdin: bytes) -> subprocess.CompletedProcess[bytes]:
        env = {"HOME": str(self.home), "PATH": str(self._commands)}

        def run() -> subprocess.CompletedProcess[bytes]:
            return subprocess.run(argv, input=stdin, capture_output=True, check=False, env=env, cwd=self.home)

        for _ in range(_TRIES):
            try:
                return run()
            except OSError as error:
                # Another thread began a process just as the command was written here, and that one still has the file.
                if error.errno != errno.ETXTBSY:
                    raise
            time.sleep(_PAUSE)
        return run()

    def _run(self, argv: Sequence[str | PurePosixPath], stdin: bytes) -> Result:
        before = self.tree()
        command = shutil.which(str(argv[0]), path=str(self._commands))
        if command is None:
            return Result(127, stderr=f"{argv[0]}: not found".encode())
        done = self._finished([command, *map(str, argv[1:])], stdin)
        after = self.tree()
        changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        self.journal.extend(f"change {path}" for path in changed)
        return Result(done.returncode, done.stdout, done.stderr)
