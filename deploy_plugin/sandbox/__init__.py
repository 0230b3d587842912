"""A throwaway server on this machine: a container with its own sshd and its own Docker engine.

``reserve`` settles name, address and keys without any engine, so that the URL is known beforehand;
``boot`` starts it; ``remove`` leaves nothing behind.
"""

from __future__ import annotations

from deploy_plugin.sandbox.container import boot
from deploy_plugin.sandbox.inventory import Seen, State, every, remove, sweep
from deploy_plugin.sandbox.reservation import reserve
from deploy_plugin.sandbox.state import EngineKind, Sandbox, find

__all__ = ["EngineKind", "Sandbox", "Seen", "State", "boot", "every", "find", "remove", "reserve", "sweep"]
