"""The containers of a release: how they are named, labelled and run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.models import App, AppFolder, Release, Target
from deploy_plugin.proxy import caddy, upstreams
from deploy_plugin.server.engine import Container, ContainerSpec, Listed
from deploy_plugin.settings import Settings

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

APP = "deploy.app"
ROLE = "deploy.role"
RELEASE = "deploy.release"
COMMIT = "deploy.commit"
FOLDER = "deploy.folder"
IMAGE = "deploy.image"
SHAPE = "deploy.shape"
SERVING, CANDIDATE, ONE_OFF = "serving", "candidate", "one-off"
MIGRATES = "-migrate"
"""What the name of a one-off container ends with that changes the database."""
PROXIED = "proxied"
"""The role of a release's container behind the proxy: a file of the proxy's says which one serves."""


@dataclass(frozen=True, slots=True)
class Containers:
    """How the containers of one release are run on one server."""

    app: App
    target: Target
    folder: AppFolder
    user: tuple[int, int]
    release: Release
    settings: Settings

    @property
    def serving(self) -> ContainerSpec:
        """The one that visitors reach: through the proxy, or published itself."""
        if self.app.proxied:
            return replace(self._base(PROXIED), name=self._name, network=caddy.NETWORK)
        return replace(self._base(SERVING), name=self._name, publish=self.target.publish, stays=True)

    @property
    def candidate(self) -> ContainerSpec:
        """The same, where no visitor can reach it."""
        return replace(self._base(CANDIDATE), name=f"{self._name}-candidate")

    def manage(self, *arguments: str) -> ContainerSpec:
        """One management command, in a container of its own."""
        command = manage_command(self.app, *arguments)
        return replace(self._base(ONE_OFF), name=f"{self._name}-{arguments[0]}", command=command)

    def program(self, name: str) -> ContainerSpec:
        """A container of its own for a program of ours; mounts nothing yet."""
        return replace(self._base(ONE_OFF), name=f"{self._name}-{name}", mounts={})

    def on_copy(self, spec: ContainerSpec) -> ContainerSpec:
        """The same on the rehearsal's copy of the database: what else outlives containers can be read there only."""
        reads = {self.folder.volume(name): path for name, path in self.app.volumes.items()}
        return replace(spec, mounts={self.folder.rehearsal: self.database.parent}, reads=reads)

    @property
    def database(self) -> PurePosixPath:
        """Where the app finds its database; to be asked of an app that has one."""
        assert self.app.database is not None  # noqa: S101 - a bug of ours, and no user's mistake
        return self.app.database

    @property
    def shape(self) -> str:
        return shape(self.app, self.target)

    @property
    def mounts(self) -> Mapping[PurePosixPath, PurePosixPath]:
        """Folder on the server to path in the container."""
        # The folder, not the file: SQLite keeps its journal beside the database.
        database = {self.folder.data: self.app.database.parent} if self.app.database else {}
        return {**database, **{self.folder.volume(name): path for name, path in self.app.volumes.items()}}

    @property
    def _name(self) -> str:
        return f"{self.app.name}-{self.release.id}"

    def _base(self, role: str) -> ContainerSpec:
        return ContainerSpec(
            name="",
            image=self.release.image,
            env=self.settings,
            labels={
                APP: self.app.name,
                ROLE: role,
                RELEASE: self.release.id,
                COMMIT: self.release.commit,
                FOLDER: str(self.folder.path),
                IMAGE: self.release.image,
                SHAPE: self.shape,
            },
            mounts=self.mounts,
            user=":".join(map(str, self.user)),
            port=self.app.port,
        )


def manage_command(app: App, *arguments: str) -> Sequence[str]:
    return ("python", app.manage, *arguments)


def serving(server: Server, app: App) -> Container | None:
    """Find the container that serves the app now."""
    if name := upstreams.told(server, app.name):
        told = server.engine.container(name)
        return told if told and told.running else None
    found = server.engine.containers({APP: app.name, ROLE: SERVING})
    return next((container for container in found if container.running), None)


def is_release(container: Container | Listed) -> bool:
    """Whether it is a release's own, made to serve: no candidate, and none that ran one command."""
    return container.labels.get(ROLE) in {SERVING, PROXIED}


def is_proxied(container: Container) -> bool:
    """Whether visitors reach it through the proxy only."""
    return container.labels.get(ROLE) == PROXIED


def start(server: Server, containers: Containers) -> None:
    """Start a release behind the proxy, which is not told of it yet."""
    server.engine.ensure_network(caddy.NETWORK)
    server.engine.remove(containers.serving.name)
    server.engine.start(containers.serving)


def running(server: Server, app: App) -> Sequence[Listed]:
    """List every release of the app that runs, whether visitors reach it or not."""
    its = (one for one in server.engine.listing() if one.labels.get(APP) == app.name)
    return [one for one in its if one.running and is_release(one)]


def one_offs(server: Server, app: App) -> Sequence[Container]:
    """List the containers that run one command each: a deploy removes its own, a killed one leaves them."""
    return server.engine.containers({APP: app.name, ROLE: ONE_OFF})


def remove_candidates(server: Server, app: App) -> None:
    """Remove every container that was only tried, of whatever release: a killed run may have left one."""
    for left in server.engine.containers({APP: app.name, ROLE: CANDIDATE}):
        server.engine.remove(left.name)


def shape(app: App, target: Target) -> str:
    """Digest everything but image and settings that a container is made from: when it changes, so does the release."""
    made_from = {
        "port": app.port,
        "publish": None if app.proxied else target.publish,
        "proxied": app.proxied,
        "database": str(app.database),
        "volumes": {name: str(path) for name, path in sorted(app.volumes.items())},
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:12]
