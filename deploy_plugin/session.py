"""What a run against a target is about, settled before anything is contacted. Knows nothing of pytest."""

from __future__ import annotations

import pickle
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_plugin import address, config, env_files, sandbox, settings
from deploy_plugin.config import Place
from deploy_plugin.destination import host_name
from deploy_plugin.errors import ConfigError, DeployError
from deploy_plugin.images.build import require_dockerfile
from deploy_plugin.models import App, Deployment, Target
from deploy_plugin.origins import origins
from deploy_plugin.redaction import Redactor
from deploy_plugin.sandbox import Sandbox
from deploy_plugin.server.ssh_config import write_run_config

if TYPE_CHECKING:
    from pluggy import HookRelay

    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class Session:
    """What is settled before anything is contacted; workers of the same run get a pickled copy."""

    app: App
    target: Target
    deploys: bool
    """Whether this run deploys, or only verifies."""
    folder: Path
    """This run's own: ssh_config, the shared connection's sockets, the deployment for workers. Has a short path."""
    sandbox: Sandbox | None = None
    origins: str = ""
    """Where each setting came from, to be read."""
    redactor: Redactor = field(default_factory=Redactor, repr=False, compare=False)

    @property
    def ssh_config(self) -> Path:
        return self.folder / "ssh_config"

    @property
    def deployment(self) -> Deployment | None:
        """What the run left or found; None as long as it has not."""
        try:
            return pickle.loads((self.folder / "deployment").read_bytes())  # type: ignore[no-any-return]  # noqa: S301 - our own, in a folder of mode 0700
        except FileNotFoundError:
            return None

    def connect(self, hooks: HookRelay, *, join: bool = False) -> Server:
        """Give the target's server; ``join`` the connection that the run's main process holds."""
        server: Server = hooks.pytest_deploy_connect(target=self.target, folder=self.folder, join=join)
        return server

    def learn(self, hooks: HookRelay) -> None:
        """Learn in a worker which values must not be shown; the main process does while it deploys.

        A worker that can't reach the server can't show what only the server holds either.
        """
        if self.deployment is None:
            return
        server = self.connect(hooks, join=True)
        with closing(server), suppress(DeployError):
            env_files.learn(self.redactor, server, self.app)

    def discard(self) -> None:
        """Leave nothing of the run on this machine: its folder, and its sandbox if nobody named it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.sandbox and self.sandbox.throwaway:
            sandbox.remove(self.sandbox)


@dataclass(frozen=True, slots=True)
class Typed:
    """What the user asks for."""

    target: str
    deploys: bool
    """Whether to deploy, or only to verify."""
    ssh_config: Path | None = None
    identity_file: Path | None = None
    downtime: bool = False
    """Whether the site may be closed for a migration."""
    first: bool = False
    """Whether a live target may be without a database."""
    show_values: bool = False
    """Whether what rows hold may be shown."""
    wait: int = 0
    """Seconds to wait until another deploy has ended."""
    on_failure: str | None = None
    """What failing tests do; as the target says where it is None."""


def settle(typed: Typed, root: Path, added: Mapping[str, Mapping[str, Any]] | None = None) -> Session:
    """Say what a run is about; contacts nothing. ``ConfigError`` where it can't be.

    ``added`` are targets that ``deploy.toml`` does not name.
    """
    place = config.find_place(typed.target, root, added, ssh_config=typed.ssh_config)
    app = config.read_app(root, place)
    if typed.deploys:
        require_dockerfile(app.context)
    folder = Path(tempfile.mkdtemp(prefix="pd-"))
    try:
        box = _sandbox(place, deploys=typed.deploys) if place.is_sandbox else None
        if box:
            target = config.read_target(place, box.destination, url=box.url, ssh_config=box.ssh_config)
            target = replace(target, sandbox=box.name)
        else:
            ssh_config = config.ssh_config_of(place, typed.ssh_config)
            url = f"http://{host_name(place.host, ssh_config)}"
            target = config.read_target(place, place.host, url=url, ssh_config=ssh_config)
            target = replace(target, identity_file=typed.identity_file)
        live = target.live or bool(address.live_target_at(target, config.named_targets(root, added or {})))
        target = replace(target, live=live, first=typed.first, show_values=typed.show_values, wait=typed.wait)
        target = replace(target, downtime=typed.downtime, on_failure=typed.on_failure or target.on_failure)
        write_run_config(folder, user_config=target.ssh_config, identity_file=target.identity_file)
    except BaseException:
        shutil.rmtree(folder)
        raise
    settled = Session(app, target, typed.deploys, folder, box, origins(root, place, typed.ssh_config))
    settled.redactor.learn(settings.in_environment(app))
    return settled


def _sandbox(place: Place, *, deploys: bool) -> Sandbox:
    if deploys:
        return sandbox.reserve(place.sandbox_name)
    there = sandbox.find(place.sandbox_name) if place.sandbox_name else None
    if there is None:
        names = ", ".join(f"sandbox:{seen.sandbox.name}" for seen in sandbox.every()) or "none yet"
        raise ConfigError(
            f"{place.host!r} is no sandbox that is there: nothing was deployed to it yet.",
            hint=f"Sandboxes: {names}. To make one that stays: pytest --deploy-to=sandbox:NAME",
        )
    return there
