"""A server over OpenSSH: one connection, and the server's Docker through it."""

from __future__ import annotations

import socket
import subprocess
import threading
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Self

from deploy_plugin.destination import split_destination
from deploy_plugin.errors import StepFailed, Unreachable
from deploy_plugin.server import files, http, link, master
from deploy_plugin.server.base import Answer, Result, Shipping, quote
from deploy_plugin.server.docker import connect_socket
from deploy_plugin.server.engine import Engine
from deploy_plugin.server.facts import Facts, gather
from deploy_plugin.server.relay import Relay
from deploy_plugin.server.shell import Busy, Shell
from deploy_plugin.server.ssh_config import control_path, docker_socket, log_path

SERVER_DOCKER_SOCKET = "/var/run/docker.sock"
ANSWER_TIMEOUT = 10
"""Seconds that a web server may take for one answer."""
_SSH_FAILED = 255
_PROHIBITED = b"administratively prohibited"
# The request comes on stdin, the answer goes to stdout. $1: address, $2: port, $3: seconds that it may take.
_ASK_THERE = """
there() { command -v "$1" >/dev/null; }
there bash && exec timeout "$3" bash -c 'exec 3<>"/dev/tcp/$0/$1" && cat >&3 && exec cat <&3' "$1" "$2"
there nc && exec timeout "$3" nc "$1" "$2"
exit 44
"""
_NOTHING_TO_ASK_WITH = 44
# The same, for as long as either side has something to say. $1: address, $2: port.
_DIAL_THERE = """
command -v bash >/dev/null && exec bash -c 'exec 3<>"/dev/tcp/$0/$1" && { cat >&3 & exec cat <&3; }' "$1" "$2"
exec nc "$1" "$2"
"""


class SshServer:
    """A connection that opens with its first use; close it, or use it as a context.

    ``folder`` holds this run's ``ssh_config`` (see ``write_run_config``), the control socket and the Docker socket.
    With ``join``, the connection that another process of the same run holds open there is used.

    Docker's socket is forwarded, and the app is asked through a forwarded port. Where the server's sshd refuses that,
    commands on the server do the same: ``docker system dial-stdio``, and bash or nc.
    """

    def __init__(self, destination: str, folder: Path, *, join: bool = False) -> None:
        self.bytes_sent = 0
        self.shipping: Shipping | None = None
        self._destination = destination
        self._folder = folder
        self._join = join
        self._dialled: subprocess.Popen[bytes] | None = None
        """Logs in, and nobody has waited for it yet."""
        self._master: subprocess.Popen[bytes] | None = None
        self._shell: Shell | None = None
        self._relay: Relay | None = None
        self._forwards_ports = True
        self._opening = threading.RLock()
        """One thread may log in anew while another one runs a command."""
        self._measuring = threading.Lock()
        self._link_speed = 0.0
        """Bytes a second; 0 until it was measured."""

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
        try:
            return connect_socket(docker_socket(self._folder))
        except OSError as error:
            if self._join:
                raise _no_answer(str(error)) from error
            return self._relayed_engine()

    def begin(self) -> None:
        with self._opening:
            if self._join or self._dialled or self._master:
                return
            forward = f"{docker_socket(self._folder)}:{SERVER_DOCKER_SOCKET}"
            # With a lower LogLevel, ssh would keep to itself what the server refuses to forward.
            shared = self._ssh("-o", "ControlMaster=yes", "-o", "LogLevel=INFO", "-L", forward)
            self._dialled = master.dial(shared, log_path(self._folder))

    def run(self, *argv: str | PurePosixPath, stdin: bytes = b"") -> Result:
        self._open()
        shell = self._shell  # another thread may log in anew
        if shell and not stdin:
            with suppress(Busy):
                return self._run_in(shell, quote(argv))
        done = subprocess.run(
            [*self._ssh(), "--", quote(argv)],
            input=stdin,
            capture_output=True,
            check=False,
            start_new_session=True,  # Ctrl-C is for us, and we may want to see the end of it
        )
        if done.returncode == _SSH_FAILED and not self._alive():
            raise self._broke(done.stderr.decode(errors="replace"))
        return Result(done.returncode, done.stdout, done.stderr)

    def attach(self, *argv: str | PurePosixPath, terminal: bool = False) -> int:
        self._open()
        # Without LogLevel, ssh -t says goodbye for the shared connection.
        options = ("-t", "-o", "LogLevel=ERROR") if terminal else ()
        exit_code = subprocess.call([*self._ssh(*options), "--", quote(argv)])
        if exit_code == _SSH_FAILED and not self._alive():
            raise self._broke()
        return exit_code

    def read(self, path: PurePosixPath) -> bytes | None:
        return files.read(self, path)

    def write(self, path: PurePosixPath, content: bytes, *, mode: int) -> None:
        files.write(self, path, content, mode=mode)
        self.bytes_sent += len(content)

    def get(self, address: str, port: int, path: str, *, host: str) -> Answer:
        self._open()
        request = http.request(path, host)
        if self._forwards_ports:
            known = len(self._log())
            try:
                return _ask_through(self._ssh("-W", f"{address}:{port}"), request)
            except ConnectionError:
                if _PROHIBITED not in self._log()[known:]:
                    raise
            self._forwards_ports = False
        there = ("sh", "-c", _ASK_THERE, "sh", address, str(port), str(ANSWER_TIMEOUT))
        done = _ask([*self._ssh(), "--", quote(there)], request)
        if done.returncode == _NOTHING_TO_ASK_WITH:
            raise StepFailed(
                "The app can't be asked: sshd on the server forwards no ports, and there is neither bash nor nc there.",
                hint=f"Allow it for this user in sshd_config (AllowTcpForwarding {address}:{port}), or install one.",
            )
        return http.answer(done.stdout)

    def dial(self, address: str, port: int) -> socket.socket:
        self._open()
        there = ("sh", "-c", _DIAL_THERE, "sh", address, str(port))
        pipe = self._ssh("-W", f"{address}:{port}") if self._forwards_ports else [*self._ssh(), "--", quote(there)]
        here, theirs = socket.socketpair()
        with theirs:
            ends = theirs.fileno()
            process = subprocess.Popen(pipe, stdin=ends, stdout=ends, stderr=subprocess.DEVNULL, start_new_session=True)
        threading.Thread(target=process.wait, name="dial", daemon=True).start()
        return here

    def link_speed(self) -> float:
        with self._measuring:
            self._link_speed = self._link_speed or link.measure(self)
        return self._link_speed

    def reconnect(self) -> None:
        with self._opening:
            self.close()
            self._open()

    def close(self) -> None:
        self.__dict__.pop("facts", None)
        if engine := self.__dict__.pop("engine", None):
            engine.close()
        if self._relay:
            self._relay.close()
            self._relay = None
        if self._dialled:
            master.hang_up(self._dialled, at_once=True)
            self._dialled = None
        if self._master:
            master.hang_up(self._master, at_once=self._shell is not None and self._shell.left)
            self._master = self._shell = None

    def _open(self) -> None:
        with self._opening:
            if self._join or self._master:
                return
            self.begin()
            dialled, self._dialled = self._dialled, None
            assert dialled  # noqa: S101 - it was begun
            self._shell = master.answered(dialled, log_path(self._folder), self._destination)
            self._master = dialled

    def _run_in(self, shell: Shell, command: str) -> Result:
        known = len(self._log())
        try:
            return shell.run(command)
        except EOFError:
            raise self._broke(self._log()[known:].decode(errors="replace")) from None

    def _broke(self, got: str = "") -> Unreachable:
        return Unreachable(f"The connection to {self._destination} broke.", got=got)

    def _relayed_engine(self) -> Engine:
        """Reach Docker where nobody answers at the forwarded socket: sshd refuses, or Docker listens elsewhere."""
        if not self.run("sh", "-c", "command -v docker").ok:
            raise StepFailed(
                "Docker on the server does not answer: sshd does not forward its socket, and there is no docker "
                "command there to go through instead.",
                hint="Allow it for this user in sshd_config (AllowStreamLocalForwarding), or install the command.",
            )
        socket = docker_socket(self._folder)
        self._relay = self._relay or Relay(socket, [*self._ssh(), "--", "docker system dial-stdio"])
        try:
            return connect_socket(socket)
        except OSError as error:
            raise _no_answer(self._relay.said or str(error)) from error

    def _log(self) -> bytes:
        """What the connection's ssh said: of each refusal, why."""
        path = log_path(self._folder)
        return path.read_bytes() if path.exists() else b""

    def _ssh(self, *options: str) -> list[str]:
        host, port = split_destination(self._destination)
        return ["ssh", "-F", str(self._folder / "ssh_config"), *(["-p", str(port)] if port else []), *options, host]

    def _alive(self) -> bool:
        check = self._ssh("-O", "check", "-o", f"ControlPath={control_path(self._folder)}")
        return subprocess.run(check, capture_output=True, check=False).returncode == 0


def _ask_through(pipe: list[str], request: bytes) -> Answer:
    """Ask through a pipe that stays open until the answer is there: who sees it half closed may take us for gone."""
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
            raise TimeoutError(f"no answer within {ANSWER_TIMEOUT} s") from error
        finally:
            late.cancel()
            process.kill()
            with suppress(BrokenPipeError):
                process.stdin.close()


def _ask(pipe: list[str], request: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            pipe, input=request, capture_output=True, check=False, timeout=ANSWER_TIMEOUT, start_new_session=True
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"no answer within {ANSWER_TIMEOUT} s") from error


def _no_answer(got: str) -> StepFailed:
    hint = "Check on the server that `docker version` works for this user."
    return StepFailed("Docker on the server does not answer.", got=got, hint=hint)
