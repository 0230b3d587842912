"""A server for tests, without a server: for our own, and for those of plugins that bring a step.

``FakeServer(folder)`` is a ``Server`` with real files in a folder and a ``FakeEngine`` in memory; both write what was
changed into the same ``journal``, so that a test can say that nothing was.
"""

from __future__ import annotations

from deploy_plugin.testing.engine import FakeEngine
from deploy_plugin.testing.server import FakeServer

__all__ = ["FakeEngine", "FakeServer"]
