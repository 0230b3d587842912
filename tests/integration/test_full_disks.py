"""The server's disk is full: while an image is shipped, the database migrated, a container started."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy_plugin.sandbox.inventory import container_name
from tests.integration.projects import Project
from tests.integration.servers import RealServer
from tests.integration.test_what_goes_wrong import assert_one_sentence

HINT = "The server's disk is full: look there with df -h and docker system df"
# Docker begins anew on a disk that is large enough for two copies of the image, and the proxy. What started it must not
# see it end: the sandbox would end too.
SMALL_DISK = """
set -e
kill -STOP "$(pgrep -x bash -P 1)"
kill "$(cat /run/docker.pid)"
while [ -e /run/docker.pid ]; do sleep 0.1; done
mount -t tmpfs -o size=520m tmpfs /var/lib/docker
setsid dockerd </dev/null >/var/log/docker.log 2>&1 &
for _ in $(seq 100); do docker version >/dev/null 2>&1 && exit; sleep 0.1; done
cat /var/log/docker.log; exit 1
"""
FILLER = "/var/lib/docker/filler"
FILL_AT = """
import subprocess

def pytest_deploy_step_started(step):
    if step.title == {title!r}:
        subprocess.run({command!r}, check=False, capture_output=True)
"""


@pytest.fixture(scope="module")
def small(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> RealServer:
    """A server whose Docker has a small disk, and where a release serves."""
    server.as_root(SMALL_DISK)
    run = Project.copy_of_the_site(tmp_path_factory.mktemp("first") / "superlists").pytest(
        f"--deploy-to={server.target}"
    )
    assert run.exit_code == 0, run.output
    return server


@pytest.fixture
def served(small: RealServer) -> Iterator[RealServer]:
    """It must serve unchanged after the test too."""
    serving = small.serving()
    yield small
    small.as_root(f"rm -f {FILLER}")
    assert small.serving() == serving
    assert small.status("/health") == 200


@pytest.fixture
def changed(project: Project, request: pytest.FixtureRequest) -> Project:
    """The site with a change, so that there is something to deploy."""
    project.edit("src/lists/views.py", "from", f"# {request.node.name}\nfrom")
    return project


@pytest.fixture
def larger(changed: Project) -> Project:
    """The site with 50 MB more, in a layer of their own."""
    changed.edit("Dockerfile", "USER 1234:1234\n", "RUN head -c 50000000 /dev/urandom > /var/large\nUSER 1234:1234\n")
    return changed


def leave_free(server: RealServer, size: int) -> None:
    server.as_root(f"head -c $(($(df --output=avail -B1 /var/lib/docker | tail -1) - {size})) /dev/zero > {FILLER}")


def test_a_disk_without_room_is_said_before_anything_is_sent(served: RealServer, larger: Project) -> None:
    leave_free(served, 90_000_000)

    run = larger.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert re.search(r"superlists:\w+ has no room on the server: 100\.\d MB are needed on the disk at ", run.output)
    assert re.search(r"100\.\d MB for the image's missing layers, with what unpacking them takes", run.output)
    assert run.outcomes["Ship image"] == "failed"
    assert run.report["bytes_sent"] == 0


def test_a_disk_that_is_full_while_the_image_is_shipped_is_said(served: RealServer, larger: Project) -> None:
    leave_free(served, 30_000_000)
    # As if somebody else filled it a moment later.
    served.as_root("printf '#!/bin/sh\\nexit 1\\n' > /usr/local/bin/df; chmod +x /usr/local/bin/df")

    run = larger.pytest(f"--deploy-to={served.target}")

    served.as_root("rm /usr/local/bin/df")
    assert_one_sentence(run)
    assert "Docker on the server did not take the image." in run.output
    assert "no space left on device" in run.output
    assert HINT in run.output
    assert run.outcomes["Ship image"] == "failed"


def test_a_disk_that_is_full_while_a_container_is_started_is_said(served: RealServer, changed: Project) -> None:
    fill = ["docker", "exec", container_name(served.sandbox), "sh", "-c", f"cat /dev/zero > {FILLER}"]
    changed.write("conftest.py", FILL_AT.format(title="Start the release", command=fill))

    run = changed.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert HINT in run.output
    assert run.outcomes["Start the release"] == "failed"
    served.as_root(f"rm -f {FILLER}")
    assert served.releases() == {served.serving().split()[0]}


def test_a_disk_that_is_full_while_the_database_is_migrated_is_said(served: RealServer, changed: Project) -> None:
    with data_on_a_small_disk(served):
        run = changed.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert HINT in run.output
    assert run.outcomes["Migrate"] == "failed"


@contextmanager
def data_on_a_small_disk(server: RealServer) -> Iterator[None]:
    """Put an empty disk over the app's data; what runs already goes on with the old one."""
    folder = Path("/home/deploy/deploy/superlists/data")
    server.as_root(f"mount -t tmpfs -o size=100k,uid=1000,gid=1000,mode=700 tmpfs {folder}")
    try:
        yield
    finally:
        server.as_root(f"umount {folder}")
