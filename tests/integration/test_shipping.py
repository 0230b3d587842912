"""What crosses the wire, into both kinds of image store, and what becomes of it where something breaks."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from deploy_plugin.errors import DeployError, Unreachable
from deploy_plugin.images import order, ship
from deploy_plugin.images.layers import SIZES_LABEL, Layer
from deploy_plugin.server.docker import DockerEngine
from deploy_plugin.server.engine import Stored
from deploy_plugin.server.local import local_client
from tests.integration.projects import Project
from tests.integration.servers import RealServer
from tests.integration.shipped import MEGABYTE, connected, cut, image_of_noise, when_sent
from tests.waiting import until

NAMES = "docker image ls --format '{{.Repository}}:{{.Tag}}'"
HALF_WAY = "docker image ls --all --quiet --filter label=deploy.partial"
# What started Docker must not see it end: the sandbox would end too.
KILL_DOCKER = (
    'kill -STOP "$(pgrep -x bash -P 1)"; kill -KILL "$(cat /run/docker.pid)"; pkill -KILL -x containerd || true'
)
START_DOCKER = """
rm -f /run/docker.pid /run/docker/containerd/containerd.pid
setsid dockerd </dev/null >/var/log/docker.log 2>&1 &
for _ in $(seq 200); do docker version >/dev/null 2>&1 && exit; sleep 0.1; done
cat /var/log/docker.log; exit 1
"""
MEASURE = """
import re, sys
from pathlib import Path
from deploy_plugin.images.ship import ship
from deploy_plugin.server.ssh import SshServer
from deploy_plugin.server.ssh_config import write_run_config
destination, config, folder, reference = sys.argv[1:]
write_run_config(Path(folder), user_config=Path(config), identity_file=None)
with SshServer(destination, Path(folder)) as server:
    ship(reference, server)
    # Not ru_maxrss: that is at least what the process had that started this one.
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
    print(int(peak) * 1024, server.bytes_sent)
"""


def test_a_changed_line_sends_less_than_a_megabyte_in_all(any_server: RealServer, project: Project) -> None:
    first = project.pytest(f"--deploy-to={any_server.target}")
    assert first.exit_code == 0, first.output

    project.edit("src/lists/views.py", "def home(", "# One changed line.\ndef home(")
    second = project.pytest(f"--deploy-to={any_server.target}")

    assert second.exit_code == 0, second.output
    assert second.report["bytes_sent"] < MEGABYTE < first.report["bytes_sent"], second.output
    assert "Ship image: 1 of 5 layers were missing" in second.output
    assert any_server.sh(HALF_WAY) == ""
    assert any_server.sh(NAMES).count("superlists:") == 2


def test_after_a_cut_at_any_byte_only_what_is_left_is_sent(any_server: RealServer) -> None:
    seed = random.randrange(1 << 32)  # noqa: S311 - no secret
    print(f"seed {seed}")  # noqa: T201 - shown where it fails
    layer, layers = 20, 4
    at = random.Random(seed).randrange(layer * layers * MEGABYTE)  # noqa: S311
    with image_of_noise(*[layer] * layers) as name:
        with connected(any_server) as server, when_sent(server, at, lambda: cut(server)), pytest.raises(Unreachable):
            ship.ship(name, server)
        assert name not in any_server.sh(NAMES)
        # A layer is sent when the one below has arrived. What measures the link is sent besides: half a megabyte.
        done = max(0, at - MEGABYTE) // (layer * MEGABYTE)
        until(lambda: len(any_server.sh(HALF_WAY).split()) >= done)  # the classic store may still unpack the last
        with connected(any_server) as server:
            said = ship.ship(name, server)
            assert server.bytes_sent < ((layers - done) * layer + 2) * MEGABYTE, f"seed {seed}: {said}"
        assert name in any_server.sh(NAMES)
        assert any_server.sh(HALF_WAY) == ""


def test_docker_that_is_killed_while_it_loads_leaves_nothing_and_the_next_run_ends_well(any_server: RealServer) -> None:
    with image_of_noise(20, 20) as name:
        with connected(any_server) as server:
            assert server.engine.image(name) is None
            with when_sent(server, 30 * MEGABYTE, lambda: any_server.as_root(KILL_DOCKER)), pytest.raises(DeployError):
                ship.ship(name, server)
        any_server.as_root(START_DOCKER)
        assert name not in any_server.sh(NAMES)
        with connected(any_server) as server:
            ship.ship(name, server)
        assert name in any_server.sh(NAMES)


def test_a_layer_that_is_damaged_on_the_way_is_refused_and_the_whole_image_follows(
    any_server: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lowest_first = order.lowest_first

    def damaged(*arguments: object) -> Iterator[Layer]:
        for layer in lowest_first(*arguments):  # type: ignore[arg-type]
            yield replace(layer, chunks=(chunk[:-1] + bytes([chunk[-1] ^ 1]) for chunk in layer.chunks))

    monkeypatch.setattr(order, "lowest_first", damaged)
    with image_of_noise(2, 2) as name, connected(any_server) as server:
        assert "the whole image was sent; single layers did not do: " in ship.ship(name, server)
        assert name in any_server.sh(NAMES)
        assert any_server.sh(HALF_WAY) == ""


def test_a_server_without_the_layers_below_refuses_and_the_whole_image_follows(
    any_server: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with image_of_noise(2, 2) as name, connected(any_server) as server, closing(DockerEngine(local_client())) as here:
        image = here.image(name)
        assert image
        wrong = Stored(image.diff_ids[:1], {SIZES_LABEL: str(2 * MEGABYTE)})
        monkeypatch.setattr(server.engine, "stored", lambda _first: iter([wrong]))
        assert "the whole image was sent; single layers did not do: " in ship.ship(name, server)
        assert name in any_server.sh(NAMES)


def test_memory_stays_flat_while_a_large_layer_is_shipped(any_server: RealServer) -> None:
    with image_of_noise(400) as name, tempfile.TemporaryDirectory(prefix="pd-") as folder:
        box = any_server.sandbox
        command = [sys.executable, "-c", MEASURE, box.destination, str(box.ssh_config), folder, name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peak, sent = map(int, done.stdout.split())
    assert sent > 400 * MEGABYTE
    assert peak < 150 * MEGABYTE
