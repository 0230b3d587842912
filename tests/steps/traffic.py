"""A server on which one release serves, and the next one is to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from deploy_plugin.containers import Containers
from deploy_plugin.health import Probe
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.steps.await_health import AwaitHealth
from deploy_plugin.steps.base import Step
from deploy_plugin.steps.proxy import EnsureProxy
from deploy_plugin.steps.start_release import StartRelease
from deploy_plugin.steps.switch import Switch
from deploy_plugin.testing import FakeServer
from tests.site import TARGET, Site, reached

OLD, NEW = "superlists-1", "superlists-2"


@dataclass
class Traffic:
    """A server on which the old release is to serve, and the new one then."""

    server: FakeServer
    site: Site
    app: App

    def containers(self, release_id: str, *, proxied: bool = True) -> Containers:
        release = Release(release_id, "1a2b3c4d", "superlists:abc")
        folder = AppFolder(PurePosixPath(self.server.home), self.app.name)
        return Containers(replace(self.app, proxied=proxied), TARGET, folder, (1000, 1000), release, {})

    def steps(self, release_id: str) -> list[Step]:
        containers = self.containers(release_id)
        probe = Probe.of(self.app, TARGET)
        return [
            StartRelease(containers),
            AwaitHealth(containers, probe),
            EnsureProxy(containers, probe),
            Switch(containers, probe),
        ]

    def run(self, release_id: str) -> None:
        """Run the steps as a deploy does."""
        for step in self.steps(release_id):
            if step.check(self.server):
                step.apply(self.server)

    def publish_old(self) -> None:
        self.server.engine.start(replace(self.containers("1", proxied=False).serving, name=OLD))

    @property
    def upstream(self) -> Path:
        return self.server.home / "deploy/proxy/upstreams/superlists"

    @property
    def reached(self) -> str:
        return reached(self.server, self.site)


def raises(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail
