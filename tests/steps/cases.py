"""For every step that there is: how it is made on a server where it has something to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from deploy_plugin import sandbox, traffic
from deploy_plugin.containers import Containers
from deploy_plugin.database.migrations import Migrations
from deploy_plugin.health import Probe
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.proxy import caddy
from deploy_plugin.sandbox import Sandbox
from deploy_plugin.secret import Secret
from deploy_plugin.steps.await_health import AwaitHealth
from deploy_plugin.steps.base import Step
from deploy_plugin.steps.boot_sandbox import BootSandbox
from deploy_plugin.steps.build_image import BuildImage
from deploy_plugin.steps.candidate import StartCandidate
from deploy_plugin.steps.close_site import CloseSite
from deploy_plugin.steps.database import EnsureDatabase
from deploy_plugin.steps.end_downtime import EndDowntime
from deploy_plugin.steps.env_file import EnsureEnvFile
from deploy_plugin.steps.gather_facts import GatherFacts
from deploy_plugin.steps.install_docker import InstallDocker
from deploy_plugin.steps.migrate import Migrate
from deploy_plugin.steps.preflight import Preflight
from deploy_plugin.steps.proxy import EnsureProxy
from deploy_plugin.steps.publish import Publish
from deploy_plugin.steps.record import KeepRecord
from deploy_plugin.steps.rehearse import Rehearse
from deploy_plugin.steps.release_settings import KeepSettings
from deploy_plugin.steps.ship_image import ShipImage
from deploy_plugin.steps.ship_proxy import ShipProxy
from deploy_plugin.steps.snapshot import TakeSnapshot
from deploy_plugin.steps.start_release import StartRelease
from deploy_plugin.steps.static import KeepStatic
from deploy_plugin.steps.switch import Switch
from deploy_plugin.steps.take_back import TakeBack
from deploy_plugin.steps.target import RecallTarget, RememberTarget, RequireDatabase
from deploy_plugin.steps.volumes import EnsureVolumes
from deploy_plugin.testing import FakeServer
from tests.machine import Machine
from tests.site import TARGET

RELEASE = Release("20261124-031205-1a2b3c4", "1a2b3c4d", "superlists:abc")
OLD = replace(RELEASE, id="old")


@dataclass
class World:
    """A server where everything is missing, and this machine."""

    server: FakeServer
    machine: Machine
    app: App
    booted: list[Sandbox]

    @property
    def folder(self) -> AppFolder:
        return AppFolder(self.server.facts.home, self.app.name)

    @property
    def containers(self) -> Containers:
        user = self.server.facts.app_user
        return Containers(self.app, TARGET, self.folder, user, RELEASE, {"KEY": Secret("x")})

    @property
    def published(self) -> Containers:
        """The same, where no proxy is wanted."""
        return replace(self.containers, app=replace(self.app, proxied=False))

    @property
    def probe(self) -> Probe:
        return Probe.of(self.app, TARGET)

    def seen(self) -> tuple[object, ...]:
        """Everything that a step could change, as it is now."""
        here = (dict(self.machine.engine.images), list(self.machine.built), list(self.booted))
        return (self.server.tree(), list(self.server.journal), self.server.bytes_sent, *here)


def _build_image(world: World) -> Step:
    return BuildImage(RELEASE.image, world.app.context, "linux/amd64")


def _ship_image(world: World) -> Step:
    world.machine.engine.add_image(RELEASE.image)
    return ShipImage(RELEASE.image)


def _install_docker(world: World) -> Step:
    there = replace(world.server.facts, uid=1000, user="elspeth")
    world.server.facts = replace(there, has_docker=False, docker_runs=False)
    world.server.install("sudo", "exit 0")
    world.server.reconnected = there
    return InstallDocker()


def _migrate(world: World) -> Step:
    world.server.engine.add_image(RELEASE.image)
    Path(world.folder.data).mkdir(parents=True, exist_ok=True)
    return Migrate(Migrations(world.containers))


def _with_rows(world: World) -> Migrations:
    world.server.engine.add_image(RELEASE.image)
    world.server.engine.ensure_network(caddy.NETWORK)
    world.server.write(world.folder.data / "db.sqlite3", b"rows", mode=0o600)
    return Migrations(world.containers)


def _rehearse(world: World) -> Step:
    return Rehearse(_with_rows(world), lambda _server: replace(world.containers, release=OLD), world.probe)


def _start_candidate(world: World) -> Step:
    world.server.engine.add_image(RELEASE.image)
    return StartCandidate(world.published, world.probe)


def _start_release(world: World) -> Step:
    world.server.engine.add_image(RELEASE.image)
    return StartRelease(world.containers)


def _await_health(world: World) -> Step:
    _start_release(world).apply(world.server)
    refusals = iter([500, 500])  # it is asked until it answers well
    world.server.engine.site = lambda *_: next(refusals, 200)
    return AwaitHealth(world.containers, world.probe)


def _ensure_proxy(world: World) -> Step:
    world.server.engine.add_image(caddy.IMAGE)
    return EnsureProxy(world.containers, world.probe)


def _keep_static(world: World) -> Step:
    _start_release(world).apply(world.server)
    return KeepStatic(world.containers)


def _ship_proxy(world: World) -> Step:
    assert world.machine.pulled == []
    return ShipProxy(TARGET.publish, "linux/amd64")


def _require_database(world: World) -> Step:
    world.server.write(world.folder.data / "db.sqlite3", b"rows", mode=0o600)
    return RequireDatabase(world.app, TARGET, "db.sqlite3")


def _switch(world: World) -> Step:
    old = replace(world.containers, release=OLD)
    for step in (_start_release(world), StartRelease(old), _ensure_proxy(world), Switch(old, world.probe)):
        step.apply(world.server)
    return Switch(world.containers, world.probe)


def _take_back(world: World) -> Step:
    old = replace(world.containers, release=OLD)
    for step in (_start_release(world), StartRelease(old), _ensure_proxy(world), Switch(old, world.probe)):
        step.apply(world.server)
    before = traffic.look(world.server, world.containers)
    Switch(world.containers, world.probe).apply(world.server)
    return TakeBack(world.containers, before)


def _close_site(world: World) -> Step:
    old = replace(world.containers, release=OLD)
    rehearse = cast("Rehearse", _rehearse(world))
    for step in (StartRelease(old), _ensure_proxy(world), Switch(old, world.probe)):
        step.apply(world.server)
    rehearse.downtime.reason = "not compatible"
    return CloseSite(rehearse, EnsureProxy(world.containers, world.probe))


def _end_downtime(world: World) -> Step:
    close = cast("CloseSite", _close_site(world))
    close.apply(world.server)
    close.rehearse.downtime.end()
    return EndDowntime(world.app, TARGET.name)


def _publish(world: World) -> Step:
    world.server.engine.add_image(RELEASE.image)
    old = replace(world.published.serving, name="superlists-old")
    world.server.engine.start(old)
    world.server.engine.start(world.published.candidate)
    return Publish(world.published, world.probe)


CASES: Mapping[type, Callable[[World], Step]] = {
    AwaitHealth: _await_health,
    BootSandbox: lambda world: BootSandbox(a_sandbox(world.app.context).name),
    BuildImage: _build_image,
    EnsureDatabase: lambda world: EnsureDatabase(world.folder.data / "db.sqlite3", world.server.facts.app_user),
    EnsureEnvFile: lambda world: EnsureEnvFile(world.folder.env_file, {"KEY": Secret("x")}),
    EnsureProxy: _ensure_proxy,
    EnsureVolumes: lambda world: EnsureVolumes(
        [world.folder.volume("media"), world.folder.volume("more")], world.server.facts.app_user
    ),
    GatherFacts: lambda _world: GatherFacts(),
    InstallDocker: _install_docker,
    KeepRecord: lambda world: KeepRecord(Migrations(world.containers)),
    KeepSettings: lambda world: KeepSettings(world.folder.settings(RELEASE.id), {"KEY": Secret("x")}),
    KeepStatic: _keep_static,
    Migrate: _migrate,
    Preflight: lambda world: Preflight(world.app, TARGET),
    Publish: _publish,
    RecallTarget: lambda world: RecallTarget(world.app.name, TARGET),
    Rehearse: _rehearse,
    RememberTarget: lambda world: RememberTarget(world.folder.target_file, world.app.name, live=True),
    RequireDatabase: _require_database,
    ShipImage: _ship_image,
    ShipProxy: _ship_proxy,
    StartCandidate: _start_candidate,
    StartRelease: _start_release,
    Switch: _switch,
    CloseSite: _close_site,
    EndDowntime: _end_downtime,
    TakeBack: _take_back,
    TakeSnapshot: lambda world: TakeSnapshot(_with_rows(world)),
}


NOTHING_TO_DO = {AwaitHealth, GatherFacts, Preflight, RecallTarget, RequireDatabase}


def a_sandbox(folder: Path) -> Sandbox:
    return Sandbox(
        name="a",
        destination="deploy@127.0.0.11",
        ssh_config=folder / "ssh_config",
        url="http://127.0.0.11",
        folder=folder,
        engine=sandbox.EngineKind.OVERLAY2,
        throwaway=True,
    )
