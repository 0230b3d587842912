"""Only what is missing is sent, on both kinds of image store, and what is refused is no end."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.images import order, packed, transfer
from deploy_plugin.images.layers import PARTIAL_LABEL
from deploy_plugin.images.ship import ship
from deploy_plugin.server.base import Shipping
from deploy_plugin.server.engine import Store
from deploy_plugin.testing import FakeServer
from tests.machine import Machine

BASE, CODE, OTHER_CODE = b"base" * 1000, b"code", b"other"
both_stores = pytest.mark.parametrize("store", list(Store))


class Break(Exception):
    """The connection is gone."""


def breaks_after(server: FakeServer, monkeypatch: pytest.MonkeyPatch, loads: int) -> None:
    """Let the server take this many loads more, and no other."""
    took, left = server.engine.load, [None] * loads

    def load(archive: Iterable[bytes]) -> None:
        if not left:
            raise Break
        left.pop()
        took(archive)

    monkeypatch.setattr(server.engine, "load", load)


@pytest.fixture
def one_load_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every layer be worth a load of its own, and nothing be kept in memory."""
    monkeypatch.setattr(transfer, "GROUP", 0)
    monkeypatch.setattr(transfer, "CRUMB", 0)
    monkeypatch.setattr(order, "HELD", 0)


@both_stores
def test_what_the_server_has_does_not_travel_again(server: FakeServer, machine: Machine, store: Store) -> None:
    server.engine.keeps = store
    machine.engine.add_image("site:1", layers=[BASE, CODE])
    machine.engine.add_image("site:2", layers=[BASE, OTHER_CODE])
    assert ship("site:1", server) == "2 of 2 layers were missing"
    before = server.bytes_sent
    assert ship("site:2", server) == "1 of 2 layers were missing"
    assert server.bytes_sent - before < before
    assert server.engine.images["site:2"].diff_ids == machine.engine.images["site:2"].diff_ids


@both_stores
@pytest.mark.parametrize("kept", [packed.KEPT, 0], ids=["small", "large"])
def test_layers_that_are_kept_packed_here_travel_alone_too(
    server: FakeServer, machine: Machine, monkeypatch: pytest.MonkeyPatch, store: Store, kept: int
) -> None:
    monkeypatch.setattr(packed, "KEPT", kept)
    server.engine.keeps, machine.engine.packs = store, True
    machine.engine.add_image("site:1", layers=[BASE, CODE, b"more"])
    machine.engine.add_image("site:2", layers=[BASE, CODE, b"else"])
    assert ship("site:1", server) == "3 of 3 layers were missing"
    assert ship("site:2", server) == "1 of 3 layers were missing"
    for image in server.engine.images.values():
        assert [server.engine.layers[name] for name in image.diff_ids[:2]] == [BASE, CODE]


def test_an_image_without_a_name_and_one_of_another_app_count_as_well(server: FakeServer, machine: Machine) -> None:
    for engine, name in ((server.engine, "blog:1"), (machine.engine, "site:1")):
        engine.add_image(name, layers=[BASE, CODE])
    server.engine.unnamed.append(server.engine.images.pop("blog:1"))
    assert ship("site:1", server) == "0 of 2 layers were missing"
    assert server.engine.images.keys() == {"site:1"}


def test_in_containerds_store_only_images_that_say_how_their_layers_are_kept_count(
    server: FakeServer, machine: Machine
) -> None:
    server.engine.keeps = Store.CONTAINERD
    for engine, name in ((server.engine, "pulled:1"), (machine.engine, "site:1")):
        engine.add_image(name, layers=[BASE, CODE])
    assert ship("site:1", server) == "2 of 2 layers were missing"


@both_stores
@pytest.mark.usefixtures("one_load_each")
def test_a_break_costs_no_more_than_the_layer_that_was_under_way(
    server: FakeServer, machine: Machine, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    server.engine.keeps = store
    machine.engine.add_image("site:1", layers=[b"a", b"b", b"c", b"d"])
    with monkeypatch.context() as broken:
        breaks_after(server, broken, loads=2)
        with pytest.raises(Break):
            ship("site:1", server)
    assert server.engine.images == {}
    assert [len(image.diff_ids) for image in server.engine.unnamed] == [1, 2]
    assert ship("site:1", server) == "2 of 4 layers were missing"
    assert server.engine.unnamed == []
    assert server.engine.images["site:1"].diff_ids == machine.engine.images["site:1"].diff_ids


@pytest.mark.usefixtures("one_load_each")
def test_nothing_more_is_sent_while_containerds_store_could_still_lose_what_arrived(
    server: FakeServer, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.engine.keeps = Store.CONTAINERD
    machine.engine.add_image("site:1", layers=[b"a", b"b", b"c"])
    took, seen = server.engine.load, list[int]()

    def load(archive: Iterable[bytes]) -> None:
        pieces = list(archive)
        time.sleep(0.1)
        took(pieces)
        assert server.shipping
        seen.append(server.shipping.layers_done)

    monkeypatch.setattr(server.engine, "load", load)
    assert ship("site:1", server) == "3 of 3 layers were missing"
    assert seen == [1, 2, 3]


@pytest.mark.usefixtures("one_load_each")
def test_what_is_on_its_way_is_said_and_nothing_afterwards(
    server: FakeServer, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.engine.add_image("site:1", layers=[b"a", b"bc"])
    took, seen = server.engine.load, []

    def load(archive: Iterable[bytes]) -> None:
        took(archive)
        seen.append(server.shipping)

    monkeypatch.setattr(server.engine, "load", load)
    ship("site:1", server)
    size = sum(machine.engine.layer_sizes("site:1"))
    assert seen[0] in {Shipping(2, 1, size, 1), Shipping(2, 2, size, 3)}  # the next layer may be under way already
    assert seen[1:] == [Shipping(2, 2, size, 3)]
    assert server.shipping is None


def test_another_apps_half_way_image_stays(server: FakeServer, machine: Machine) -> None:
    machine.engine.add_image("site:1")
    label = {PARTIAL_LABEL: "blog"}
    server.engine.add_image("part:1", labels=label)
    server.engine.unnamed.append(server.engine.images.pop("part:1"))
    ship("site:1", server)
    assert len(server.engine.unnamed) == 1


def test_what_is_refused_follows_whole_and_says_why(server: FakeServer, machine: Machine) -> None:
    machine.engine.add_image("site:1")
    server.engine.fail("load *", StepFailed("Docker on the server did not take the image.", got="what is this?\nx"))
    assert ship("site:1", server) == "the whole image was sent; single layers did not do: what is this?"
    assert server.engine.images.keys() == {"site:1"}


def test_a_full_disk_is_not_filled_again(server: FakeServer, machine: Machine) -> None:
    machine.engine.add_image("site:1")
    server.engine.fail("load *", StepFailed("Docker did not take it.", got="write: no space left on device"))
    with pytest.raises(StepFailed, match="no space left on device"):
        ship("site:1", server)
    assert server.engine.journal == []


def test_an_image_that_arrives_with_other_layers_does_not_keep_its_name(
    server: FakeServer, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.engine.add_image("site:1")
    monkeypatch.setattr(server.engine, "load", lambda _archive: server.engine.add_image("site:1", layers=[b"damaged"]))
    with pytest.raises(StepFailed, match=r"site:1 arrived with other layers"):
        ship("site:1", server)
    assert server.engine.images == {}
