"""What an app takes of its server's disk."""

from __future__ import annotations

import shutil

from deploy_plugin import disk
from deploy_plugin.disk import Disk
from deploy_plugin.images.layers import SIZES_LABEL
from deploy_plugin.models import App
from deploy_plugin.testing import FakeServer

BASE = bytes(5_000_000)


def test_a_layer_that_several_images_have_counts_once(server: FakeServer, app: App) -> None:
    for tag in ("a", "b"):
        server.engine.add_image(f"superlists:{tag}", layers=[BASE, tag.encode() * 1000])
    server.engine.add_image("another:a", layers=[bytes(7)])
    assert disk.look(server, app).images == 5_000_000 + 2 * 1000


def test_sizes_come_from_the_label_of_what_was_shipped(server: FakeServer, app: App) -> None:
    server.engine.add_image("superlists:a", layers=[b"1", b"2"], labels={SIZES_LABEL: "300,40"})
    server.engine.add_image("superlists:b", layers=[b"1", b"3"], labels={SIZES_LABEL: "300,5"})
    assert disk.look(server, app).images == 345


def test_where_they_are_not_known_the_image_counts_whole(server: FakeServer, app: App) -> None:
    server.engine.add_image("superlists:a", layers=[b"1", b"2"], labels={SIZES_LABEL: "300"})
    assert disk.look(server, app).images == server.engine.images["superlists:a"].size


def test_folders_are_measured_and_what_is_not_there_is_not_said(server: FakeServer, app: App) -> None:
    for name in ("cut", "df", "du", "tail", "tr"):
        server.install(name, f'exec {shutil.which(name)} "$@"')
    data = server.home / "deploy/superlists/data"
    data.mkdir(parents=True)
    (data / "db.sqlite3").write_bytes(bytes(3_000_000))
    found = disk.look(server, app)
    assert found.used
    assert found.data
    assert found.free
    assert found.used >= found.data >= 3_000_000
    assert (found.snapshots, found.images) == (None, 0)
    assert str(found).startswith(f"data {found.data / 1e6:.1f} MB, ")


def test_what_is_not_known_is_left_out() -> None:
    assert str(Disk()) == ""
    assert str(Disk(images=2_500_000_000, free=0)) == "images 2.5 GB, 0.0 MB free"
