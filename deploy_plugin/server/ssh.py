"""A server over OpenSSH: one connection, with the server's Docker socket forwarded through it."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Self

from deploy_plugin.destination import split_destination
from deploy_plugin.errors import Unreachable
from deploy_plugin.server import files, http
from deploy_plugin.server.base import Answer, Result, quote
from deploy_plugin.server.docker import connect_socket
from deploy_plugin.server.engine import Engine
from deploy_plugin.server.facts import Facts, gather
from deploy_plugin.server.ssh_config import control_path, docker_socket

SERVER_DOCKER_SOCKET = "/var/run/docker.sock"
ANSWER_TIMEOUT = 10
"""Seconds that a web server may take for one answer."""
_SSH_FAILED = 255
_HELLO = b"connected\n"

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


class SshServer:
    """A connection that opens with its first use; close it, or use it as a context.

    ``folder`` holds this run's ``ssh_config`` (see ``write_run_config``), the control socket and the Docker socket.
    With ``join``, the connection that another process of the same run holds open there is used.
    """

    def __init__(self, destination: str, folder: Path, *, join: bool = False) -> None:
        self.bytes_sent = 0
        self._destination = destination
        self._folder = folder
        self._join = join
        self._master: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def facts(self) -> Facts:
        return gather(self)

    @cached_property
    def engine(self) -> Engine:
        self._open()
        return connect_socket(docker_socket(self._folder))

    def run(self, *argv: str | PurePosixPath, stdin: bytes = b"") -> Result:
        self._open()
        done = subprocess.run([*self._ssh(), "--", quote(argv)], input=stdin, capture_output=True, check=False)
        if done.returncode == _SSH_FAILED and not self._alive():
            raise Unreachable(f"The connection to {self._destination} broke.", got=done.stderr.decode(errors="replace"))
        return Result(done.returncode, done.stdout, done.stderr)

    def attach(self, *argv: str | PurePosixPath, terminal: bool = False) -> int:
        self._open()
        # Without LogLevel, ssh -t says goodbye for the shared connection.
        options = ("-t", "-o", "LogLevel=ERROR") if terminal else ()
        exit_code = subprocess.call([*self._ssh(*options), "--", quote(argv)])
        if exit_code == _SSH_FAILED and not self._alive():
            raise Unreachable(f"The connection to {self._destination} broke.")
        return exit_code

    def read(self, path: PurePosixPath) -> bytes | None:
        return files.read(self, path)

    def write(self, path: PurePosixPath, content: bytes, *, mode: int) -> None:
        files.write(self, path, content, mode=mode)
        self.bytes_sent += len(content)

    def get(self, address: str, port: int, path: str, *, host: str) -> Answer:
        self._open()
        pipe = self._ssh("-W", f"{address}:{port}")
        try:
            done = subprocess.run(
                pipe, input=http.request(path, host), capture_output=True, check=False, timeout=ANSWER_TIMEOUT
            )
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"no answer within {ANSWER_TIMEOUT} s") from error
        return http.answer(done.stdout)

    def reconnect(self) -> None:
        self.close()
        self._open()

    def close(self) -> None:
        self.__dict__.pop("facts", None)
        if engine := self.__dict__.pop("engine", None):
            engine.close()
        if self._master:
            _hang_up(self._master)
            self._master = None

    def _open(self) -> None:
        if self._join or self._master:
            return
        # The master runs `cat`: it answers as soon as we are logged in, and ends by itself when this process does.
        socket = docker_socket(self._folder)
        forward = ("-o", "ControlMaster=yes", "-L", f"{socket}:{SERVER_DOCKER_SOCKET}")
        with tempfile.TemporaryFile() as errors:
            master = subprocess.Popen(
                [*self._ssh(*forward), "--", "cat"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is for us, not for the connection that we tidy up through
            )
            import docker  # noqa: F401 - it takes as long as a handshake: both at once, and nothing waits for it later

            if not _answers(master):
                _hang_up(master)
                errors.seek(0)
                said = errors.read().decode(errors="replace")
                raise Unreachable(f"{self._destination} can't be reached.", got=_last_words(said), hint=_hint(said))
        self._master = master

    def _ssh(self, *options: str) -> list[str]:
        host, port = split_destination(self._destination)
        return ["ssh", "-F", str(self._folder / "ssh_config"), *(["-p", str(port)] if port else []), *options, host]

    def _alive(self) -> bool:
        check = self._ssh("-O", "check", "-o", f"ControlPath={control_path(self._folder)}")
        return subprocess.run(check, capture_output=True, check=False).returncode == 0


def _answers(master: subprocess.Popen[bytes]) -> bool:
    assert master.stdin is not None  # noqa: S101 - for mypy: they are pipes
    assert master.stdout is not None  # noqa: S101
    try:
        master.stdin.write(_HELLO)
        master.stdin.flush()
    except BrokenPipeError:
        return False
    return master.stdout.readline() == _HELLO


def _hang_up(master: subprocess.Popen[bytes]) -> None:
    for pipe in (master.stdin, master.stdout):
        if pipe:
            with suppress(BrokenPipeError):
                pipe.close()
    try:
        master.wait(timeout=5)
    except subprocess.TimeoutExpired:
        master.kill()
        master.wait()


def _hint(said: str) -> str:
    return next((hint for phrase, hint in _HINTS.items() if phrase in said), "Try the same with ssh -v.")


def _last_words(said: str) -> str:
    """Leave out the frame of a warning; of a changed host key, all but the key and where the known one stands."""
    lines = [line.strip() for line in said.splitlines() if line.strip("@ ")]
    if _CHANGED in said:
        lines = [line for line in lines if line.startswith(("SHA256:", "Offending")) or line == lines[-1]]
    return "\n".join(lines)[-1500:]
