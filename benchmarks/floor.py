"""What no deploy can do without, timed alone."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks import images
from benchmarks.clock import Command, said, timed
from benchmarks.project import APP, TEST, Project
from benchmarks.server import Server
from benchmarks.tools import PYTEST

PYTEST_ITSELF = "pytest itself, without a target"
HANDSHAKE = "one SSH handshake, and `true`"
CONTAINER = "one container start"
DJANGO = "one Django start (`manage.py check`)"
BUILD = "one `docker build` of a changed line"
IMAGE = "the image, by `docker save`, ssh and `docker load`"

# Which of them a situation needs, whoever deploys.
NEEDED = {
    "first": (PYTEST_ITSELF, HANDSHAKE, IMAGE, CONTAINER, DJANGO),
    "nothing": (PYTEST_ITSELF, HANDSHAKE),
    "line": (PYTEST_ITSELF, HANDSHAKE, BUILD, CONTAINER, DJANGO),
}


def measure(project: Project, server: Server) -> Mapping[str, float]:
    """Time each once, in seconds, where this project's release serves; nothing of it is left there."""
    folder = project.folder
    found = {PYTEST_ITSELF: timed(Command([PYTEST, TEST], folder)).seconds}
    project.change_a_line()
    found[BUILD] = timed(Command(["docker", "build", "--quiet", "."], folder)).seconds
    with _connection(server, folder / ".master") as (ssh, seconds):
        found[HANDSHAKE] = seconds
        container = said(*ssh, f"docker ps --quiet --filter label=deploy.app={APP}").splitlines()[0]
        image = said(*ssh, f"docker inspect --format '{{{{.Image}}}}' {container}")
        found[CONTAINER] = timed(Command([*ssh, f"docker run --rm {image} true"], folder)).seconds
        found[DJANGO] = timed(Command([*ssh, f"docker exec {container} python manage.py check"], folder)).seconds
        server.empty()
        sent = f"docker save {images.WARM} | {shlex.join(ssh)} docker load"
        found[IMAGE] = timed(Command(["sh", "-c", sent], folder)).seconds
    return found


@contextmanager
def _connection(server: Server, socket: Path) -> Iterator[tuple[list[str], float]]:
    ssh = ["ssh", "-F", str(server.ssh_config), "-o", f"ControlPath={socket}"]
    opening = [*ssh, "-o", "ControlMaster=yes", "-o", "ControlPersist=60", server.alias, "true"]
    started = time.perf_counter()
    said(*opening)
    seconds = time.perf_counter() - started
    try:
        yield [*ssh, server.alias], seconds
    finally:
        said(*ssh, "-O", "exit", server.alias)
