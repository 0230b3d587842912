"""A deploy, from the first connection to what the tests receive."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NoReturn

from deploy_plugin import (
    confirmation,
    containers,
    downtime,
    ending,
    env_files,
    health,
    lease,
    plan,
    release,
    settings,
    traffic,
)
from deploy_plugin.containers import Containers
from deploy_plugin.database.migrations import Migrations, begins
from deploy_plugin.door import Door
from deploy_plugin.downtime import Downtime
from deploy_plugin.errors import DeployError, LeaseLost, NotYetKnown, RollbackFailed, StepFailed
from deploy_plugin.fence import fenced
from deploy_plugin.images.early import EarlyBuild
from deploy_plugin.lease import Lease
from deploy_plugin.models import App, AppFolder, Deployment, Outcome, Recap, Release, Target
from deploy_plugin.proxy import caddy
from deploy_plugin.proxy.upstreams import ProxyFolder
from deploy_plugin.records import Record
from deploy_plugin.server.seen import seen, unseen
from deploy_plugin.server.undocked import undocked
from deploy_plugin.steps.end_downtime import EndDowntime
from deploy_plugin.steps.take_back import TakeBack
from deploy_plugin.steps.target import RecallTarget

if TYPE_CHECKING:
    from deploy_plugin.runner import Runner
    from deploy_plugin.secret import Secret
    from deploy_plugin.server.base import Server
    from deploy_plugin.steps.base import Step

DEPLOY = "deploy"
"""What a deploy holds the lease for, as others are told."""


def deploy(app: App, target: Target, server: Server, runner: Runner) -> Deployment:
    """Make the app's present release serve on the target; what became of each step is in ``runner.recap``.

    The app's lease is held then, by ``runner.lease``, until the tests have decided.
    """
    from_here = _secrets_from_here(app, runner)
    with EarlyBuild(app) as early, ExitStack() as unless_it_succeeds:
        runner.run([*plan.first_steps(target), *plan.recall_steps(app, target)])
        runner.lease = _take_lease(app, target, server, runner)
        unless_it_succeeds.callback(runner.lease.release)
        found = seen(server, *_what_is_looked_at(app, target, server))  # nobody else changes it from now on
        runner.run(_prepare_steps(app, target, found), found)
        chosen, steps = _release(app, target, found, runner, from_here, early)
        _decide_instead(found, chosen)
        before = traffic.look(found, chosen)
        unless_it_succeeds.callback(runner.downtime.end)
        try:
            runner.run(steps, found)
            deployment = _deployment(found, chosen, runner)
        except (RollbackFailed, LeaseLost):
            raise  # whatever is there now may be what visitors need
        except BaseException as error:
            ending.go_back(fenced(server, runner.lease), before, chosen, error, restores=runner.downtime.begun)
            raise
        unless_it_succeeds.pop_all()
    if target.downtime and not runner.downtime.begun:
        runner.notes.append("No downtime was needed: the site stayed open.")
    runner.way_back = TakeBack(chosen, before, runner.downtime.begun)
    return deployment


def end_downtime(app: App, target: Target, server: Server, runner: Runner) -> None:
    """Open a site that a killed run left closed, before anybody judges by what serves there."""
    if downtime.look(server, app.name):
        with lease.held(server, app.name, target.name, DEPLOY) as mine:
            runner.run([EndDowntime(app, target.name)], fenced(server, mine), changed=Outcome.RESCUED)


def foresee(app: App, target: Target, server: Server, runner: Runner) -> None:
    """Say what a deploy would change; what can't be known yet is skipped, and says why. Needs a dry runner."""
    from_here = _secrets_from_here(app, runner)
    runner.run(plan.first_steps(target))
    if runner.would_change:
        runner.run([_Unforeseen("the sandbox does not run")])
        return
    runner.run(plan.recall_steps(app, target))
    if state := lease.look(server, app.name):
        runner.notes.append(f"{state} is at work on {app.name} there: a deploy would have to wait for it.")
    runner.run(_prepare_steps(app, target, server))
    seen = undocked(server) if runner.would_change else server
    try:
        _, steps = _release(app, target, seen, runner, from_here)
    except NotYetKnown as unknown:
        runner.run([_Unforeseen(unknown.message)])
    else:
        runner.run(steps, seen)


def verify(app: App, target: Target, server: Server) -> Deployment:
    """Find what serves on the target; nothing there is changed."""
    RecallTarget(app.name, target).check(server)
    facts = server.facts
    if facts.docker_runs and not facts.docker_access:
        raise StepFailed(
            f"{facts.user} may not use Docker on {target.name}, so nobody knows what serves there.",
            hint=f"Let root do it there: usermod -aG docker {facts.user}",
        )
    found = release.found(server, app, target) if facts.docker_access else None
    if found is None:
        raise StepFailed(
            f"No release of {app.name} serves on {target.name}.", hint=f"Deploy first: pytest --deploy-to={target.name}"
        )
    return _deployment(server, found, None)


def what_serves(app: App, server: Server, tried: Release) -> str:
    """Say what a run that did not succeed leaves behind."""
    try:
        container = containers.serving(server, app)
    except DeployError:
        return f"What serves there now is not known. Look on the server: docker ps -f label={containers.APP}={app.name}"
    if container is None:
        return f"Nothing of {app.name} serves there."
    is_new = container.labels.get(containers.RELEASE) == tried.id
    return (
        f"{container.name}, which this deploy started, serves already." if is_new else f"{container.name} still serves."
    )


def _what_is_looked_at(app: App, target: Target, server: Server) -> list[PurePosixPath]:
    folder, proxy = AppFolder(server.facts.home, app.name), ProxyFolder(server.facts.home)
    return [
        *(folder.env_file, folder.releases, folder.target_file, folder.unconfirmed),
        *(proxy.upstream(app.name), proxy.config(target.publish), proxy.page(app.name)),
    ]


def _decide_instead(server: Server, chosen: Containers) -> None:
    """End what the server waits for since a run that went away: from now on this one decides."""
    left = confirmation.of(server, chosen)
    if server.read(left.file) is not None:
        left.discard(unseen(server))


def _secrets_from_here(app: App, runner: Runner) -> dict[str, Secret]:
    found = settings.secrets_from_here(app)
    runner.redactor.learn(found.items())
    return found


def _release(  # noqa: PLR0913, PLR0917 - all that a deploy has settled by then
    app: App,
    target: Target,
    server: Server,
    runner: Runner,
    from_here: dict[str, Secret],
    early: EarlyBuild | None = None,
) -> tuple[Containers, list[Step]]:
    kept = env_files.learn(runner.redactor, server, app)
    secrets = settings.server_secrets(app, kept, from_here)
    runner.redactor.learn(secrets.items())
    chosen = release.choose(server, app, target, secrets)
    runner.choose(chosen.release)
    runner.record = Record(chosen.folder.record(chosen.release.id))
    runner.downtime = Downtime(allowed=target.downtime)
    platform = app.platform or server.facts.platform
    migrations = Migrations(chosen, runner.record, begins=begins(server, chosen))
    serving = containers.serving(server, app)
    if serving and serving.name == chosen.serving.name:
        migrations.look(server)
    steps = plan.release_steps(migrations, secrets, platform, early, runner.downtime)
    runner.hooks.pytest_deploy_steps(app=app, target=target, steps=steps)
    return chosen, steps


def _prepare_steps(app: App, target: Target, server: Server) -> list[Step]:
    left = downtime.look(server, app.name)
    return [*plan.prepare_steps(app, target), *([EndDowntime(app, target.name)] if left else [])]


def _take_lease(app: App, target: Target, server: Server, runner: Runner) -> Lease:
    if target.wait:
        turn = _Turn(app.name, target)
        runner.run([turn])
        if turn.lease:
            return turn.lease
    return lease.acquire(server, app.name, target.name, DEPLOY, wait=0)


@dataclass(slots=True)
class _Turn:
    """Is run where somebody said that they would wait, so that they see for whom."""

    app: str
    target: Target
    title: str = "Wait for the lease"
    lease: Lease | None = None

    def check(self, server: Server) -> str | None:
        state = lease.look(server, self.app)
        return f"{state} is at work" if state else None

    def apply(self, server: Server) -> None:
        self.lease = lease.acquire(server, self.app, self.target.name, DEPLOY, wait=self.target.wait)


@dataclass(frozen=True, slots=True)
class _Unforeseen:
    """Stands in a plan for all steps that can't be named yet; a deploy has none of it."""

    why: str
    title: str = "Bring the release onto the server"

    def check(self, server: Server) -> NoReturn:  # noqa: ARG002 - it is not known what to ask
        raise NotYetKnown(self.why)

    def apply(self, server: Server) -> None:
        """Nothing to do."""


def _deployment(server: Server, chosen: Containers, runner: Runner | None) -> Deployment:
    serving = containers.serving(server, chosen.app)
    if serving is None:
        raise StepFailed(f"{chosen.serving.name} is gone.", hint="Deploy again.")
    probe = health.Probe.of(chosen.app, chosen.target)
    port = health.port_of(server, serving, probe)
    if runner and runner.downtime.begun:
        runner.door = Door(partial(server.dial, serving.address, port), chosen.target.url)
        runner.notes.append(f"Visitors get the maintenance page; the tests reach the site at {runner.door.url}.")
    return Deployment(
        app=chosen.app,
        target=chosen.target,
        release=chosen.release,
        container=serving.name,
        port=port,
        front=caddy.container_name(chosen.target.publish) if containers.is_proxied(serving) else serving.name,
        user=chosen.user,
        folder=chosen.folder,
        recap=runner.recap if runner else Recap(),
        door=runner.door.url if runner and runner.door else "",
    )
