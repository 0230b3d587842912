"""The throwaway server, where the target is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin import sandbox
from deploy_plugin.errors import StepFailed

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class BootSandbox:
    """Start the sandbox; the server is not contacted before."""

    name: str
    title: str = "Boot the sandbox"

    def check(self, server: Server) -> str | None:  # noqa: ARG002 - there may be no server yet
        running = [seen.sandbox.name for seen in sandbox.every() if seen.state is sandbox.State.RUNNING]
        return None if self.name in running else f"{self.name} does not run"

    def apply(self, server: Server) -> None:  # noqa: ARG002
        reserved = sandbox.find(self.name)
        if reserved is None:
            raise StepFailed(f"The sandbox {self.name!r} is gone: somebody took it down.", hint="Deploy again.")
        sandbox.boot(reserved)
