"""Whether the server has room for what is about to be sent, told before it is sent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.images import room
from deploy_plugin.server.engine import ContainerSpec, Store
from deploy_plugin.server.undocked import undocked
from deploy_plugin.testing import FakeServer
from tests.machine import Machine

BASE, PACKAGES, CODE = bytes(6_000_000), bytes(2_000_000), bytes(1_000_000)
HEADING = "Filesystem     1024-blocks      Used Available Capacity Mounted on"


def has_free(server: FakeServer, kilobytes: int, mount: str = "/", data: int | None = None) -> None:
    """Let the server's ``df`` say this of every path, and ``data`` of those in a home."""
    line = f"echo '{HEADING}'; echo '/dev/my disk  99 99 '$free' 80% '$mount"
    elsewhere = f"case $2 in */home/*) free={data}; mount=/home;; esac" if data is not None else ""
    server.install("df", f"free={kilobytes}; mount={mount}\n{elsewhere}\n{line}")


@pytest.fixture
def there(server: FakeServer, machine: Machine) -> FakeServer:
    """A server that lacks an image of 9 MB, whose two largest layers have 8."""
    machine.engine.add_image("site:1", layers=[BASE, PACKAGES, CODE])
    return server


@pytest.fixture
def database(server: FakeServer) -> PurePosixPath:
    """A database of 3 MB on the server."""
    path = server.home / "db.sqlite3"
    path.write_bytes(bytes(3_000_000))
    return PurePosixPath(path)


def test_two_layers_need_twice_their_room_while_they_are_unpacked(there: FakeServer) -> None:
    has_free(there, 16_000, mount="/var/lib/docker")
    with pytest.raises(StepFailed) as no:
        room.require("site:1", there, None)
    assert no.value.message == (
        "site:1 has no room on the server: 17.0 MB are needed on the disk at /var/lib/docker, and 16.4 MB are free."
    )
    assert "17.0 MB for the image's missing layers, with what unpacking them takes. Make room there" in no.value.hint
    has_free(there, 17_000_000 // 1024 + 1)
    room.require("site:1", there, None)


def test_what_can_be_removed_is_named_the_oldest_first(there: FakeServer) -> None:
    for number, role in enumerate(("proxied", "proxied", "proxied", "one-off")):
        there.engine.add_image(f"site:old{number}")
        labels = {"deploy.app": "site", "deploy.role": role, "deploy.image": f"site:old{number}"}
        there.engine.start(ContainerSpec(f"site-{number}", f"site:old{number}", labels=labels))
    there.engine.stop("site-0")
    there.engine.stop("site-1")
    has_free(there, 13_000)
    with pytest.raises(StepFailed) as no:
        room.require("site:1", there, None)
    assert no.value.hint.splitlines()[1:] == [
        "Old releases of the app, the oldest first (fewer stay with keep_releases in deploy.toml):",
        "  docker rm site-0 && docker image rm site:old0",
        "  docker rm site-1 && docker image rm site:old1",
    ]


def test_the_containerd_store_keeps_all_of_them(there: FakeServer) -> None:
    there.engine.keeps = Store.CONTAINERD
    has_free(there, 17_000)
    with pytest.raises(StepFailed, match=r"18\.0 MB are needed"):
        room.require("site:1", there, None)


def test_only_what_is_missing_needs_room(there: FakeServer) -> None:
    there.engine.add_image("site:0", layers=[BASE])
    has_free(there, 6_000)
    room.require("site:1", there, None)
    has_free(there, 5_000)
    with pytest.raises(StepFailed, match=r"6\.0 MB are needed"):
        room.require("site:1", there, None)


def test_a_copy_of_the_database_needs_room_on_the_same_disk(there: FakeServer, database: PurePosixPath) -> None:
    has_free(there, 17_000)
    with pytest.raises(StepFailed, match=r"20\.0 MB are needed on the disk at /,") as no:
        room.require("site:1", there, database)
    assert "takes and 3.0 MB for a copy of the database." in no.value.hint


def test_or_on_another(there: FakeServer, database: PurePosixPath) -> None:
    has_free(there, 17_000, data=3_000)
    room.require("site:1", there, database)
    has_free(there, 17_000, data=2_000)
    with pytest.raises(StepFailed, match=r"3\.0 MB are needed on the disk at /home, and 2\.0 MB are free"):
        room.require("site:1", there, database)


def test_a_database_that_is_not_there_needs_none(there: FakeServer) -> None:
    has_free(there, 17_000)
    room.require("site:1", there, PurePosixPath(there.home / "none.sqlite3"))


@pytest.mark.parametrize("says", ["exit 1", "echo nothing of use", f"echo '{HEADING}'; echo 'none - - - - -'"])
def test_what_can_not_be_known_stops_nobody(there: FakeServer, database: PurePosixPath, says: str) -> None:
    there.install("df", says)
    room.require("site:1", there, database)


def test_a_plan_knows_neither_an_image_that_is_not_built_nor_an_engine_that_is_not_there(
    there: FakeServer, database: PurePosixPath
) -> None:
    has_free(there, 6_000)
    room.require("site:2", there, database)
    there.facts = replace(there.facts, has_docker=False)
    room.require("site:1", undocked(there), database)
