from __future__ import annotations

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.testing import FakeServer


def test_what_can_not_be_written_or_read_says_what_to_do(server: FakeServer) -> None:
    home = server.facts.home
    (server.home / "file").write_text("in the way of a folder")
    with pytest.raises(StepFailed, match="file/below can't be written on the server") as caught:
        server.write(home / "file" / "below", b"", mode=0o600)
    assert caught.value.got
    assert "must be able to write it" in caught.value.hint
    with pytest.raises(StepFailed, match="can't be read on the server") as caught:
        server.read(home)
    assert "must be able to read it" in caught.value.hint


def test_a_full_disk_is_said_to_be_one(server: FakeServer) -> None:
    server.install("mktemp", "echo 'mktemp: No space left on device' >&2; exit 1")
    with pytest.raises(StepFailed) as caught:
        server.write(server.facts.home / "file", b"", mode=0o600)
    assert caught.value.hint.startswith("The server's disk is full")
    assert not (server.home / "file").exists()
