"""The runbook: the steps of a deploy, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from deploy_plugin.database.migrations import Migrations
from deploy_plugin.downtime import Downtime
from deploy_plugin.health import Probe
from deploy_plugin.images.early import EarlyBuild
from deploy_plugin.images.scratch import Recipe
from deploy_plugin.models import App, Target
from deploy_plugin.release import found
from deploy_plugin.secret import Secret
from deploy_plugin.steps.await_health import AwaitHealth
from deploy_plugin.steps.base import Step
from deploy_plugin.steps.boot_sandbox import BootSandbox
from deploy_plugin.steps.build_image import BuildImage
from deploy_plugin.steps.candidate import StartCandidate
from deploy_plugin.steps.close_site import CloseSite
from deploy_plugin.steps.database import EnsureDatabase
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
from deploy_plugin.steps.target import RecallTarget, RememberTarget, RequireDatabase
from deploy_plugin.steps.volumes import EnsureVolumes


def first_steps(target: Target) -> list[Step]:
    """What has to be there before the server can be contacted."""
    return [BootSandbox(target.sandbox)] if target.sandbox else []


def recall_steps(app: App, target: Target) -> list[Step]:
    """What has to be known before anything may be changed."""
    may_begin = target.first or not target.live
    return [
        GatherFacts(),
        RecallTarget(app.name, target),
        *([RequireDatabase(app, target, app.database.name)] if app.database and not may_begin else []),
    ]


def prepare_steps(app: App, target: Target) -> list[Step]:
    """What has to be there before it can be said which release this will be."""
    return [InstallDocker(), Preflight(app, target)]


def release_steps(
    migrations: Migrations,
    secrets: Mapping[str, Secret],
    platform: str,
    early: EarlyBuild | None = None,
    downtime: Downtime | None = None,
) -> list[Step]:
    """Bring one release, with its ``migrations``, onto the server and make it serve; its record is written last."""
    containers = migrations.containers
    app, release, folder, owner = containers.app, containers.release, containers.folder, containers.user
    probe = Probe.of(app, containers.target)
    database = folder.data / app.database.name if app.database else None
    return [
        BuildImage(release.image, app.context, platform, early),
        ShipImage(release.image, Recipe(app.context, platform), database, early),
        *([ShipProxy(containers.target.publish, platform)] if app.proxied else []),
        RememberTarget(folder.target_file, app.name, containers.target.live),
        EnsureEnvFile(folder.env_file, secrets),
        *([EnsureDatabase(database, owner)] if database else []),
        *([EnsureVolumes([folder.volume(name) for name in app.volumes], owner)] if app.volumes else []),
        KeepSettings(folder.settings(release.id), containers.settings),
        *(_proxied if app.proxied else _published)(migrations, probe, downtime or Downtime()),
        KeepRecord(migrations),
    ]


def _proxied(migrations: Migrations, probe: Probe, downtime: Downtime) -> list[Step]:
    containers = migrations.containers
    # A release is asked what it lacks while it runs; where it lacks everything, it would have to start anew at once.
    start: list[Step] = [StartRelease(containers)]
    migrate = _migrate(migrations, probe, downtime)
    return [
        *(migrate + start if migrations.begins else start + migrate),
        AwaitHealth(containers, probe),
        *([KeepStatic(containers)] if containers.app.static else []),
        EnsureProxy(containers, probe),
        Switch(containers, probe, downtime=downtime),
    ]


def _published(migrations: Migrations, probe: Probe, downtime: Downtime) -> list[Step]:
    containers = migrations.containers
    return [*_migrate(migrations, probe, downtime), StartCandidate(containers, probe), Publish(containers, probe)]


def _migrate(migrations: Migrations, probe: Probe, downtime: Downtime) -> list[Step]:
    containers = migrations.containers
    if containers.app.database is None:
        return [Migrate(migrations)]
    previous = partial(found, app=containers.app, target=containers.target)
    rehearse = Rehearse(migrations, previous, probe, downtime)
    close = [CloseSite(rehearse, EnsureProxy(containers, probe))] if downtime.allowed and containers.app.proxied else []
    return [rehearse, *close, TakeSnapshot(migrations), Migrate(migrations)]
