"""Docker on this machine, found where the docker command finds it: DOCKER_HOST, then the Docker context."""

from __future__ import annotations

import os
import re
import shutil
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deploy_plugin.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker import DockerClient
    from docker.context import Context

NO_ENGINE = "No Docker engine answers on this machine: tried {address} ({origin})."
NO_PERMISSION = (
    "You may not use this machine's Docker. Add yourself to its group (sudo usermod -aG docker $USER), then "
    "log in again, or run this once under: sg docker -c '…'"
)
NOT_RUNNING = "Start Docker (here: `make demo` installs and starts one on Debian), or point DOCKER_HOST at an engine."
NO_CLI = "There is no docker command on this machine. Install it (on Debian: apt-get install docker.io)."
ENGINE_TIMEOUT = 120
"""Seconds that the engine may keep silent."""
KNOCK_TIMEOUT = 10
_API_VERSION = re.compile(rb"^api-version: *([0-9.]+)\s*$", re.IGNORECASE | re.MULTILINE)
_spoken: dict[str, str] = {}
"""Which version of Docker's API the engine at an address was seen to speak: a run connects to it many times."""


def local_client(*, timeout: int = ENGINE_TIMEOUT) -> DockerClient:
    """Connect to this machine's engine; the caller closes it. ``StepFailed`` where none answers."""
    import docker  # noqa: F401 - whole, and first: see EarlyBuild
    from docker.errors import DockerException

    address, origin = engine_address()
    try:
        version = knock(address)
        client = _connected(version or _spoken.get(address, "auto"), timeout)
    except (DockerException, OSError) as error:
        denied = isinstance(error, PermissionError) or "Permission denied" in str(error)
        raise StepFailed(
            NO_ENGINE.format(address=address, origin=origin),
            got=str(error),
            hint=NO_PERMISSION if denied else NOT_RUNNING,
        ) from error
    _spoken[address] = client.api.api_version
    return client


def _connected(version: str, timeout: int) -> DockerClient:
    import docker

    if os.environ.get("DOCKER_HOST"):
        return docker.from_env(version=version, timeout=timeout)
    context = _context()
    return docker.DockerClient(base_url=context.Host, tls=context.TLSConfig or False, version=version, timeout=timeout)


@contextmanager
def engine_words(doing: str) -> Iterator[None]:
    """Turn what the engine refuses into a sentence: it could not do this, and its own words."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except (DockerException, RequestException) as error:
        reason = str(getattr(error, "explanation", None) or error)
        raise StepFailed(f"Docker on this machine could not {doing}.", got=reason) from error


def engine_address() -> tuple[str, str]:
    """Give the engine's address, and where it is written."""
    if host := os.environ.get("DOCKER_HOST"):
        return host, "DOCKER_HOST"
    context = _context()
    return str(context.Host), f"the Docker context {context.Name!r}"


def is_remote(address: str) -> bool:
    """Say whether the engine is on another machine: what it publishes is then not on our loopback."""
    url = urlsplit(address)
    if "unix" in url.scheme or url.scheme == "npipe":
        return False
    return url.scheme == "ssh" or url.hostname not in {"localhost", "127.0.0.1", "::1"}


def docker_command() -> str:
    """Give the path of the docker command, which finds contexts and DOCKER_HOST by itself."""
    if found := shutil.which("docker"):
        return found
    raise StepFailed(NO_CLI)


def knock(address: str) -> str | None:
    """Give the version of Docker's API that is spoken behind a socket, where that is said.

    OSError where no engine answers: the SDK wraps the reason thrice, and leaves its own socket open.
    """
    url = urlsplit(address)
    if "unix" not in url.scheme:
        return None
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(KNOCK_TIMEOUT)
        probe.connect(url.path)
        probe.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
        with probe.makefile("rb") as answer:
            said = answer.read()
    if not said:  # a forwarded socket takes the call, and hangs up where nobody is behind it
        raise ConnectionResetError("the socket was closed without an answer")
    found = _API_VERSION.search(said)
    return found[1].decode() if found else None


def _context() -> Context:
    import docker  # noqa: F401 - whole, and first: see EarlyBuild
    from docker.context import ContextAPI

    name = os.environ.get("DOCKER_CONTEXT")
    # Typed as never None; a context that was removed is None all the same.
    context: Context | None = ContextAPI.get_context(name)
    if context is None:
        raise StepFailed(
            f"There is no Docker context {name or 'of the name in your Docker configuration'!r}.",
            hint="`docker context ls` shows those that there are.",
        )
    return context
