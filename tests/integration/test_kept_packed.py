"""Docker on this machine keeps images in containerd's store, as Docker Desktop does by default, and Docker 29."""

from __future__ import annotations

import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy_plugin import sandbox
from deploy_plugin.images import ship
from deploy_plugin.images.packed import KEPT
from tests.integration.conftest import booted
from tests.integration.servers import RealServer
from tests.integration.shipped import MEGABYTE, connected, engine_of


@pytest.fixture
def packing_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another Docker than this machine's own takes its place."""
    with (
        booted(engine=sandbox.EngineKind.CONTAINERD) as other,
        engine_of(other) as address,
        monkeypatch.context() as here,
    ):
        here.setenv("DOCKER_HOST", address)
        yield


def docker(*arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["docker", *arguments], input=stdin, check=True, capture_output=True).stdout


def image(name: str, base: str, folder: Path) -> set[str]:
    """Make an image with one small layer on a base; give the diff ids of both."""
    (folder / "Dockerfile").write_text(f"FROM {base}\nCOPY file /\nCMD x\n")
    (folder / "file").write_bytes(os.urandom(1000))
    docker("build", "--quiet", "--tag", name, str(folder))
    return set(docker("image", "inspect", "--format", '{{join .RootFS.Layers "\\n"}}', name).decode().split())


@pytest.mark.usefixtures("packing_engine")
def test_only_the_missing_layers_of_what_is_kept_packed_here_travel(server: RealServer, tmp_path: Path) -> None:
    noise, archive = tmp_path / "noise", tmp_path / "base.tar"
    noise.write_bytes(os.urandom(KEPT + MEGABYTE))
    with tarfile.open(archive, "w") as tar:
        tar.add(noise, "noise")
    docker("import", "-", "packed-base:1", stdin=archive.read_bytes())
    (tmp_path / "context").mkdir()
    layers = image("packed:1", "packed-base:1", tmp_path / "context")
    (tmp_path / "saved.tar").write_bytes(docker("save", "packed:1"))
    with tarfile.open(tmp_path / "saved.tar") as tar:
        blobs = {f"sha256:{name.rpartition('/')[2]}" for name in tar.getnames()}
    assert not layers <= blobs  # one is there under its packed name

    with connected(server) as connection:
        assert ship.ship("packed:1", connection) == "2 of 2 layers were missing"
        sent = connection.bytes_sent
        image("packed:2", "packed-base:1", tmp_path / "context")
        assert ship.ship("packed:2", connection) == "1 of 2 layers were missing"
        assert connection.bytes_sent - sent < MEGABYTE < sent
    there = server.sh("docker image inspect --format '{{json .RootFS.Layers}}' packed:1")
    assert all(layer in there for layer in layers)
