"""The file that says where an app's visitors go."""

from __future__ import annotations

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.proxy import upstreams
from deploy_plugin.proxy.upstreams import ProxyFolder
from deploy_plugin.testing import FakeServer


def test_who_is_told_is_known_again(server: FakeServer) -> None:
    assert upstreams.told(server, "site") is None
    upstreams.tell(server, "site", "site-20261124-031205-1a2b3c4", 8888)
    assert upstreams.told(server, "site") == "site-20261124-031205-1a2b3c4"
    assert upstreams.content(server, "site") == b"site-20261124-031205-1a2b3c4:8888\n"
    assert upstreams.told(server, "blog") is None


def test_what_was_told_before_is_told_again_byte_by_byte(server: FakeServer) -> None:
    upstreams.tell(server, "site", "site-1", 8888)
    before = upstreams.content(server, "site")
    upstreams.tell(server, "site", "site-2", 80)
    upstreams.put(server, "site", before)
    assert upstreams.told(server, "site") == "site-1"
    upstreams.put(server, "site", None)
    assert upstreams.content(server, "site") is None


def test_forgetting_twice_is_no_error(server: FakeServer) -> None:
    upstreams.tell(server, "site", "site-1", 8888)
    upstreams.forget(server, "site")
    upstreams.forget(server, "site")
    assert upstreams.told(server, "site") is None


def test_a_proxy_of_another_user_can_read_it(server: FakeServer) -> None:
    upstreams.make_folder(server, ProxyFolder(server.facts.home))
    upstreams.tell(server, "site", "site-1", 8888)
    folder = server.home / "deploy/proxy"
    modes = [path.stat().st_mode & 0o777 for path in (folder, folder / "upstreams", folder / "upstreams/site")]
    assert modes == [0o755, 0o755, 0o644]


def test_a_folder_that_can_not_be_made_is_a_sentence(server: FakeServer) -> None:
    (server.home / "deploy").write_text("in the way")
    with pytest.raises(StepFailed, match="deploy/proxy can't be made on the server") as caught:
        upstreams.make_folder(server, ProxyFolder(server.facts.home))
    assert caught.value.got
    assert caught.value.hint
