"""Behind the fence of a lease: nothing is changed any more once it is lost."""

from __future__ import annotations

import pytest

from deploy_plugin import lease
from deploy_plugin.errors import LeaseLost
from deploy_plugin.fence import fenced
from deploy_plugin.server.base import Shipping
from deploy_plugin.server.engine import ContainerSpec
from deploy_plugin.testing import FakeServer
from tests.leases import take


def test_behind_the_fence_a_command_gets_all_that_it_is_given(server: FakeServer) -> None:
    there = fenced(server, take(server))
    done = there.run("sh", "-c", 'cat; echo "$0 $1" >&2; exit 113', "a b", "*", stdin=b"in\0put")
    assert (done.exit_code, done.stdout, done.stderr) == (113, b"in\0put", b"a b *\n")
    there.write(server.facts.home / "x", b"content", mode=0o640)
    assert (server.home / "x").read_bytes() == b"content"
    assert there.bytes_sent == server.bytes_sent == 7


def test_what_is_shipped_is_told_to_whoever_watches_the_server(server: FakeServer) -> None:
    there = fenced(server, take(server))
    there.shipping = Shipping(layers=3)
    assert there.shipping is server.shipping is not None


def test_once_it_is_lost_nothing_is_changed_in_any_way(server: FakeServer) -> None:
    server.engine.add_image("a:b")
    server.journal.clear()
    there = fenced(server, take(server))
    lease.take_away(server, "superlists")
    server.journal.clear()
    spec = ContainerSpec("a", "a:b")
    for change in (
        lambda: there.run("touch", "x"),
        lambda: there.attach("touch", "x"),
        lambda: there.write(server.facts.home / "x", b"content", mode=0o640),
        lambda: there.engine.start(spec),
        lambda: there.engine.remove_image("a:b"),
    ):
        with pytest.raises(LeaseLost):
            change()
    assert server.journal == []
    assert there.engine.image("a:b")
    assert there.read(lease.file_of(server, "superlists"))


def test_a_command_that_goes_on_by_itself_keeps_nobody_else_out(server: FakeServer) -> None:
    mine = take(server)
    server.install("sleep", "exec /bin/sleep 30 </dev/null >/dev/null 2>&1")
    fenced(server, mine).run("sh", "-c", "sleep & echo $! >pid")
    mine.release()
    take(server).require()
    server.run("sh", "-c", 'kill "$(cat pid)"')
