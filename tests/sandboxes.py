"""Sandboxes that are reserved for real, which needs no engine, and booted in name only."""

from __future__ import annotations

import pytest

from deploy_plugin import sandbox
from deploy_plugin.sandbox import Sandbox, Seen, State


class Sandboxes:
    def __init__(self) -> None:
        self.running: list[str] = []
        self.removed: list[str] = []
        self._remove = sandbox.remove

    def take_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let nothing be booted, and keep what was removed."""
        monkeypatch.setattr(sandbox, "boot", lambda box: self.running.append(box.name))
        monkeypatch.setattr(sandbox, "remove", self._removed)
        every = sandbox.every
        monkeypatch.setattr(
            sandbox, "every", lambda: [Seen(seen.sandbox, self._state(seen.sandbox)) for seen in every()]
        )

    def _removed(self, box: Sandbox) -> None:
        self.removed.append(box.name)
        self._remove(box)

    def _state(self, box: Sandbox) -> State:
        return State.RUNNING if box.name in self.running else State.RESERVED
