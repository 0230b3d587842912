"""Each test has a state folder of its own: no test sees the sandboxes of who runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state of 100% of them"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder / "pytest-deploy" / "sandboxes"
