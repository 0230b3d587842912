"""Images of noise, and connections that ship them."""

from __future__ import annotations

import io
import os
import secrets
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy_plugin.server.ssh import SshServer
from deploy_plugin.server.ssh_config import docker_socket, write_run_config
from tests.integration.meanwhile import meanwhile
from tests.integration.servers import RealServer

MEGABYTE = 1_000_000


@contextmanager
def image_of_noise(*megabytes: int) -> Iterator[str]:
    """Give the name of an image on this machine, with a layer of each size, the lowest first."""
    name = f"ship-noise-{secrets.token_hex(3)}:1"
    copies = "".join(f"COPY {number} /\n" for number in range(len(megabytes)))
    with tempfile.TemporaryFile() as context, tarfile.open(fileobj=context, mode="w") as tar:
        _add(tar, "Dockerfile", f"FROM scratch\n{copies}CMD x\n".encode())
        for number, size in enumerate(megabytes):
            _add(tar, str(number), os.urandom(size * MEGABYTE))
        tar.close()
        context.seek(0)
        subprocess.run(
            ["docker", "build", "--quiet", "--tag", name, "-"], stdin=context, check=True, capture_output=True
        )
    try:
        yield name
    finally:
        subprocess.run(["docker", "image", "rm", "--force", name], check=True, capture_output=True)


@contextmanager
def connected(server: RealServer) -> Iterator[SshServer]:
    with tempfile.TemporaryDirectory(prefix="pd-") as folder:
        write_run_config(Path(folder), user_config=server.sandbox.ssh_config, identity_file=None)
        with SshServer(server.sandbox.destination, Path(folder)) as connection:
            connection.run("true")
            yield connection


@contextmanager
def engine_of(server: RealServer) -> Iterator[str]:
    """Give the address at which a server's Docker answers here, as ``DOCKER_HOST`` takes it."""
    with connected(server) as connection:
        assert connection.engine
        yield f"unix://{docker_socket(connection._folder)}"  # noqa: SLF001 - nobody else knows it


@contextmanager
def when_sent(connection: SshServer, size: int, act: Callable[[], object]) -> Iterator[None]:
    """Do something from a thread of its own as soon as so many bytes were sent."""

    def watch(over: threading.Event) -> None:
        while connection.bytes_sent < size and not over.wait(0.001):
            pass
        if not over.is_set():
            act()

    with meanwhile(watch):
        yield


def cut(connection: SshServer) -> None:
    """Kill the process that holds the connection."""
    assert connection._master  # noqa: SLF001 - nobody else knows it
    connection._master.kill()  # noqa: SLF001


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))
