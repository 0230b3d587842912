"""A deploy, from the first connection to what the tests receive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_plugin import health, plan, release, settings
from deploy_plugin.containers import Containers
from deploy_plugin.errors import StepFailed
from deploy_plugin.models import App, AppFolder, Deployment, Recap, Target

if TYPE_CHECKING:
    from deploy_plugin.runner import Runner
    from deploy_plugin.secret import Secret
    from deploy_plugin.server.base import Server


def deploy(app: App, target: Target, server: Server, runner: Runner) -> Deployment:
    """Make the app's present release serve on the target; what became of each step is in ``runner.recap``."""
    from_here = settings.secrets_from_here(app)
    runner.run(plan.prepare_steps(target))
    secrets = _server_secrets(app, server, from_here)
    containers = release.choose(server, app, target, secrets)
    runner.choose(containers.release)
    steps = plan.release_steps(containers, secrets, app.platform or server.facts.platform)
    runner.hooks.pytest_deploy_steps(app=app, target=target, steps=steps)
    runner.run(steps)
    return _deployment(server, containers, runner.recap)


def verify(app: App, target: Target, server: Server) -> Deployment:
    """Find what serves on the target; nothing there is changed."""
    containers = release.found(server, app, target) if server.facts.docker_access else None
    if containers is None:
        raise StepFailed(
            f"No release of {app.name} serves on {target.name}.", hint=f"Deploy first: pytest --deploy-to={target.name}"
        )
    return _deployment(server, containers, Recap())


def _server_secrets(app: App, server: Server, from_here: dict[str, Secret]) -> dict[str, Secret]:
    content = server.read(AppFolder(server.facts.home, app.name).env_file)
    return settings.server_secrets(app, settings.parse(content or b""), from_here)


def _deployment(server: Server, containers: Containers, recap: Recap) -> Deployment:
    serving = server.engine.container(containers.serving.name)
    if serving is None:
        raise StepFailed(f"{containers.serving.name} is gone.", hint="Deploy again.")
    probe = health.Probe.of(containers.app, containers.target)
    return Deployment(
        app=containers.app,
        target=containers.target,
        release=containers.release,
        container=serving.name,
        port=health.port_of(server, serving, probe),
        user=containers.user,
        folder=containers.folder,
        recap=recap,
    )
