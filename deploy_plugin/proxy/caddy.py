"""Caddy in a container: how it is run, and how it is told to read its configuration anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from deploy_plugin.server.engine import ContainerSpec

IMAGE = "caddy:2.11"
NETWORK = "deploy"
"""Where the proxy finds the containers of all apps by their names."""
PROXY = "proxy"
"""The role of its container."""
PORT = 8080
"""In the container: any user may listen there."""
FOLDER = PurePosixPath("/proxy")
"""Where the container sees what it reads: its configuration, the upstream files, the kept files."""
_NEW = ".new"


def spec(port: int, *, folder: PurePosixPath, user: tuple[int, int], labels: dict[str, str]) -> ContainerSpec:
    """Say how the proxy that is published on ``port`` is run; ``folder``, on the server, is all that it reads."""
    return ContainerSpec(
        name=container_name(port),
        image=IMAGE,
        labels=labels,
        reads={folder: FOLDER},
        user=":".join(map(str, user)),
        port=PORT,
        publish=port,
        stays=True,
        command=("caddy", "run", "--config", str(_inside(port))),
        network=NETWORK,
        # The official image's program carries this one, and can't be started by anybody who may not have it.
        capabilities=("NET_BIND_SERVICE",),
    )


def container_name(port: int) -> str:
    return f"{PROXY}-{port}"


def reload_command(port: int) -> Sequence[str]:
    """Read another configuration, from ``as_new`` of the file: for another app or host, never for another release."""
    return ("caddy", "reload", "--config", str(as_new(_inside(port))))


def as_new(config: PurePosixPath) -> PurePosixPath:
    """Give the file beside a configuration that holds it until the running proxy has taken it."""
    return config.with_name(config.name + _NEW)


def _inside(port: int) -> PurePosixPath:
    return FOLDER / f"{port}.json"
