"""A server over OpenSSH: one connection, and the server's Docker through it."""

from __future__ import annotations

import socket
import subprocess
import threading
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self

from deploy_plugin.begun import begun
from deploy_plugin.destination import split_destination
from deploy_plugin.errors import StepFailed, Unreachable
from deploy_plugin.server import asking, files, http, link, master
from deploy_plugin.server.base import Answer, Result, Shipping, quote
from deploy_plugin.server.docker import DockerEngine, connect_socket
from deploy_plugin.server.engine import Engine
from deploy_plugin.server.facts import Facts, gather
from deploy_plugin.server.relay import Relay
from deploy_plugin.server.shell import Busy, Shell, Unfit
from deploy_plugin.server.shells import Shells
from deploy_plugin.server.ssh_config import control_path, docker_socket, log_path

if TYPE_CHECKING:
    from concurrent.futures import Future

SERVER_DOCKER_SOCKET = "/var/run/docker.sock"
_SSH_FAILED = 255
_PROHIBITED = b"administratively prohibited"


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
        self._shells: Shells | None = None
        self._sessions: list[subprocess.Popen[bytes]] = []
        """Those that hold the shells after the first."""
        self._knocking: Future[DockerEngine] | None = None
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
        found = gather(self)
        if found.docker_access:
            self._knocking = begun(self._connect_engine, "docker")  # it will be asked for soon
        return found

    @cached_property
    def engine(self) -> Engine:
        self._open()
        try:
            if self._knocking and not self._knocking.exception():
                return self._knocking.result()
            return self._connect_engine()
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
        shells = self._shells  # another thread may log in anew
        if shells:
            with suppress(Busy, Unfit):
                return self._run_in(shells, quote(argv), stdin)
        return self._run_alone(quote(argv), stdin)

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
                return asking.through(self._ssh("-W", f"{address}:{port}"), request)
            except ConnectionError:
                if _PROHIBITED not in self._log()[known:]:
                    raise
            self._forwards_ports = False
        return asking.there([*self._ssh(), "--"], address, port, request)

    def dial(self, address: str, port: int) -> socket.socket:
        self._open()
        if self._forwards_ports:
            return asking.dial(self._ssh("-W", f"{address}:{port}"))
        return asking.dial([*self._ssh(), "--", asking.dialling(address, port)])

    def link_speed(self) -> float:
        with self._measuring:
            if not self._link_speed:
                self._open()
                self._link_speed = link.measure(partial(self._run_alone, "cat >/dev/null"))
                self.bytes_sent += link.SENT
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
            master.hang_up(self._dialled)
            self._dialled = None
        if self._master:
            for one in (self._master, *self._sessions):
                master.hang_up(one)
            self._sessions.clear()
            self._master = self._shells = None
        if self._knocking:
            if not self._knocking.exception():
                self._knocking.result().close()
            self._knocking = None

    def _open(self) -> None:
        with self._opening:
            if self._join or self._master:
                return
            self.begin()
            dialled, self._dialled = self._dialled, None
            assert dialled  # noqa: S101 - it was begun
            first = master.answered(dialled, log_path(self._folder), self._destination)
            self._master, self._shells = dialled, Shells(first, self._another_shell)

    def _connect_engine(self) -> DockerEngine:
        return connect_socket(docker_socket(self._folder))

    def _another_shell(self) -> Shell:
        session, shell = master.shell(self._ssh())
        self._sessions.append(session)
        return shell

    def _run_in(self, shells: Shells, command: str, stdin: bytes) -> Result:
        known = len(self._log())
        try:
            return shells.run(command, stdin)
        except EOFError:
            raise self._broke(self._log()[known:].decode(errors="replace")) from None

    def _run_alone(self, command: str, stdin: bytes) -> Result:
        """Run it in a session of its own."""
        done = subprocess.run(
            [*self._ssh(), "--", command],
            input=stdin,
            capture_output=True,
            check=False,
            start_new_session=True,  # Ctrl-C is for us, and we may want to see the end of it
        )
        if done.returncode == _SSH_FAILED and not self._alive():
            raise self._broke(done.stderr.decode(errors="replace"))
        return Result(done.returncode, done.stdout, done.stderr)

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
            return self._connect_engine()
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


def _no_answer(got: str) -> StepFailed:
    hint = "Check on the server that `docker version` works for this user."
    return StepFailed("Docker on the server does not answer.", got=got, hint=hint)
