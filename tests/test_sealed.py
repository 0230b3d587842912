from __future__ import annotations

from pathlib import Path

import pytest

from deploy_plugin.sealed import new_key, seal, unseal

CONTENT = b"hunter2" * 100


@pytest.mark.parametrize("content", [CONTENT, b""])
def test_what_is_sealed_comes_back_with_its_key(tmp_path: Path, content: bytes) -> None:
    key = new_key()
    seal(tmp_path / "sealed", content, key)
    assert unseal(tmp_path / "sealed", key) == content


def test_without_the_key_it_is_noise_and_never_the_same(tmp_path: Path) -> None:
    key = new_key()
    for name in ("one", "two"):
        seal(tmp_path / name, CONTENT, key)
    one, two = ((tmp_path / name).read_bytes() for name in ("one", "two"))
    assert one[16:] != two[16:]
    assert b"hunter2" not in one + two
    assert unseal(tmp_path / "one", new_key()) != CONTENT
