"""What this package does where nobody else implements a hook: the same hooks as everybody's, called last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pluggy import HookimplMarker

if TYPE_CHECKING:
    from deploy_plugin.models import App, Deployment, Target
    from deploy_plugin.runner import Runner
    from deploy_plugin.server.base import Server

hookimpl = HookimplMarker("pytest")


def is_alone(hook: Any) -> bool:  # noqa: ANN401 - pluggy's HookCaller
    """Whether nobody implements a hook but this module."""
    return len(hook.get_hookimpls()) == 1


@hookimpl(trylast=True)
def pytest_deploy_is_live(target: Target) -> bool:
    return target.live


@hookimpl(trylast=True)
def pytest_deploy_connect(target: Target, folder: Path, join: bool) -> Server:
    from deploy_plugin.server.ssh import SshServer

    return SshServer(target.destination, folder, join=join)


@hookimpl(trylast=True)
def pytest_deploy_run(app: App, target: Target, server: Server, runner: Runner) -> Deployment:
    from deploy_plugin import transaction

    return transaction.deploy(app, target, server, runner)
