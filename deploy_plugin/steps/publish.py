"""Without a proxy: the new release takes the port of the old one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin import confirmation, traffic
from deploy_plugin.containers import Containers, running
from deploy_plugin.errors import DeployError, RollbackFailed, StepFailed
from deploy_plugin.health import Probe, await_any_answer, await_healthy
from deploy_plugin.proxy import upstreams
from deploy_plugin.server.engine import Listed

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class Publish:
    """Stop the old container and publish the new one.

    Only one of them can hold the port: for a second or two connections are refused. The old container stays, stopped,
    as long as going back may need it.
    """

    containers: Containers
    probe: Probe
    confirmed: bool = True
    """Whether the server is to go back by itself once visitors come, unless the run says in time that it stays."""
    title: str = "Publish"

    def check(self, server: Server) -> str | None:
        new = server.engine.container(self.containers.serving.name)
        if new and new.running:
            return None
        old = self._old(server)
        return f"{old[0].name} serves" if old else "nothing serves yet"

    def apply(self, server: Server) -> None:
        new, old = self.containers.serving, self._old(server)
        server.engine.remove(new.name)
        unconfirmed = confirmation.of(server, self.containers)
        before = traffic.look(server, self.containers)
        unconfirmed.await_it(server, self.containers, before, port_is_away=True)
        try:
            for container in old:
                server.engine.stop(container.name)
            server.engine.start(new)
            await_healthy(server, new.name, self.probe)
            unconfirmed.renew(server)
            upstreams.forget(server, self.containers.app.name)
        except BaseException as error:
            self._go_back(server, old, error)
            raise
        finally:
            # Tidying up must not hide what became of the switch.
            with suppress(DeployError):
                server.engine.remove(self.containers.candidate.name)
                if not self.confirmed:
                    unconfirmed.discard(server)

    def _old(self, server: Server) -> list[Listed]:
        return [one for one in running(server, self.containers.app) if one.name != self.containers.serving.name]

    def _go_back(self, server: Server, old: list[Listed], error: BaseException) -> None:
        names = " and ".join(container.name for container in old)
        try:
            server.engine.remove(self.containers.serving.name)
            for container in old:
                self._start_again(server, container.name)
        except DeployError as second:
            raise RollbackFailed(
                f"The switch failed, and {names or 'the server'} could not be put back.",
                got=f"{error}\n{second}",
                hint=f"Look at the server now: docker ps -a; docker start {names}",
            ) from error
        if isinstance(error, DeployError):
            served = f"{names} serves again." if old else "Nothing served before, and nothing does now."
            raise StepFailed(f"The new release could not be published. {served}", got=str(error)) from error

    def _start_again(self, server: Server, name: str) -> None:
        # Docker goes on stopping it when whoever asked for that was interrupted: wait until it has.
        server.engine.stop(name)
        server.engine.start_again(name)
        await_any_answer(server, name, self.probe)
