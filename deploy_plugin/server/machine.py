"""The machine that pytest runs on, as a server: no ssh, its own Docker engine, its own files."""

from __future__ import annotations

import math
import socket
import subprocess
from functools import cached_property
from pathlib import Path, PurePosixPath

from deploy_plugin.errors import StepFailed
from deploy_plugin.server import files, http, local
from deploy_plugin.server.base import Answer, Result, Shipping
from deploy_plugin.server.docker import LOAD_TIMEOUT, DockerEngine
from deploy_plugin.server.engine import Engine
from deploy_plugin.server.facts import Facts, gather

ANSWER_TIMEOUT = 10
"""Seconds that a web server may keep silent."""
_NOT_FOUND = 127


class LocalServer:
    """The machine that pytest runs on, and the engine that its docker command speaks to.

    It has to be Linux, with an engine of its own: what runs in a container is asked at the container's address, and
    the app's folders are mounted. What is kept of an app is in ``~/deploy/<app>``, as on any server. Docker is never
    installed here: where no engine answers, ``facts`` says so.
    """

    def __init__(self) -> None:
        self.bytes_sent = 0
        self.shipping: Shipping | None = None

    @cached_property
    def facts(self) -> Facts:
        assert self.engine  # noqa: S101 - it answers; or else nobody may come and install one
        return gather(self)

    @cached_property
    def engine(self) -> Engine:
        address, origin = local.engine_address()
        if local.is_remote(address):
            raise StepFailed(
                f"This machine's Docker is another machine's: {address} ({origin}).",
                hint="Deploy to that machine over ssh: pytest --deploy-to=user@host",
            )
        return DockerEngine(local.local_client(timeout=LOAD_TIMEOUT))

    def begin(self) -> None:
        """There is nothing to wait for."""

    def run(self, *argv: str | PurePosixPath, stdin: bytes = b"") -> Result:
        try:
            done = subprocess.run([*map(str, argv)], input=stdin, capture_output=True, check=False, cwd=Path.home())
        except FileNotFoundError:
            return Result(_NOT_FOUND, stderr=f"{argv[0]}: not found".encode())
        return Result(done.returncode, done.stdout, done.stderr)

    def attach(self, *argv: str | PurePosixPath, terminal: bool = False) -> int:  # noqa: ARG002 - it has ours
        try:
            return subprocess.call([*map(str, argv)], cwd=Path.home())
        except FileNotFoundError as error:
            raise StepFailed(f"There is no {argv[0]} command on this machine.") from error

    def read(self, path: PurePosixPath) -> bytes | None:
        return files.read(self, path)

    def write(self, path: PurePosixPath, content: bytes, *, mode: int) -> None:
        files.write(self, path, content, mode=mode)
        self.bytes_sent += len(content)

    def get(self, address: str, port: int, path: str, *, host: str) -> Answer:
        with socket.create_connection((address, port), timeout=ANSWER_TIMEOUT) as connection:
            connection.sendall(http.request(path, host))
            return http.answer(b"".join(iter(lambda: connection.recv(65536), b"")))

    def dial(self, address: str, port: int) -> socket.socket:
        return socket.create_connection((address, port))

    def link_speed(self) -> float:
        return math.inf

    def reconnect(self) -> None:
        """Nothing to log in to; a new group counts from the next login on."""

    def close(self) -> None:
        self.__dict__.pop("facts", None)
        if engine := self.__dict__.pop("engine", None):
            engine.close()
