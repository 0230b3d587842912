"""Which release a deploy is about: the one that serves already, or a new one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from deploy_plugin import containers
from deploy_plugin.containers import Containers
from deploy_plugin.git import commit_of
from deploy_plugin.health import Probe, is_healthy
from deploy_plugin.images.build import context_digest, reference_of
from deploy_plugin.models import App, AppFolder, Release, Target
from deploy_plugin.secret import Secret
from deploy_plugin.settings import parse, release_settings, render

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server
    from deploy_plugin.server.engine import Container


def choose(server: Server, app: App, target: Target, secrets: Mapping[str, Secret]) -> Containers:
    """Take the release that serves, where image, settings and shape are the same and it is well; else a new one."""
    digest = context_digest(app.context, app.platform or server.facts.platform)
    image = reference_of(app.name, digest)
    serving = containers.serving(server, app)
    if serving:
        same = _containers(server, app, target, _release_of(serving), secrets)
        if _is_same(server, serving, same, image) and is_healthy(server, serving, Probe.of(app, target)):
            return same
    new = _new_release(app, image, digest)
    while _is_taken(server, app, new.id, serving):
        time.sleep(0.1)  # an id is a time in seconds
        new = _new_release(app, image, digest)
    return _containers(server, app, target, new, secrets)


def found(server: Server, app: App, target: Target) -> Containers | None:
    """The release that serves on the server, with the settings it runs with; None where nothing serves."""
    serving = containers.serving(server, app)
    return of(server, app, target, serving) if serving else None


def of(server: Server, app: App, target: Target, container: Container) -> Containers:
    """The release that a container was made for, with the settings it runs with."""
    same = _containers(server, app, target, _release_of(container), {})
    return replace(same, settings=parse(server.read(same.folder.settings(same.release.id)) or b""))


def recorded(server: Server, app: App, target: Target, record: Mapping[str, Any]) -> Containers:
    """The release that a record tells of, run as it was then, with the settings that it had."""
    kept = Release(record["release"], record.get("commit", ""), record["image"])
    made = _containers(server, _as_it_was(app, record.get("app")), target, kept, {})
    return replace(made, settings=parse(server.read(made.folder.settings(kept.id)) or b""))


def _as_it_was(app: App, was: Mapping[str, Any] | None) -> App:
    """Give the app as the record says; as it is now where an older record says nothing."""
    if was is None:
        return app
    return replace(
        app,
        port=was["port"],
        health=was["health"],
        manage=was["manage"],
        database=PurePosixPath(was["database"]) if was["database"] else None,
        volumes={name: PurePosixPath(path) for name, path in was["volumes"].items()},
    )


def _new_release(app: App, image: str, digest: str) -> Release:
    commit = commit_of(app.context)
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return Release(f"{now}-{commit.short if commit else digest[:7]}", str(commit or ""), image)


def _is_taken(server: Server, app: App, new: str, serving: Container | None) -> bool:
    """Whether another release has this id, or what serves has one of the same second that is as high."""
    last = serving.labels[containers.RELEASE] if serving else ""
    if new.rpartition("-")[0] == last.rpartition("-")[0] and new <= last:
        return True
    return server.read(AppFolder(server.facts.home, app.name).settings(new)) is not None


def _release_of(container: Container) -> Release:
    labels = container.labels
    return Release(labels[containers.RELEASE], labels[containers.COMMIT], labels[containers.IMAGE])


def _is_same(server: Server, serving: Container, wanted: Containers, image: str) -> bool:
    labels = serving.labels
    if (labels[containers.IMAGE], labels[containers.SHAPE]) != (image, wanted.shape):
        return False
    return server.read(wanted.folder.settings(wanted.release.id)) == render(wanted.settings)


def _containers(
    server: Server, app: App, target: Target, release: Release, secrets: Mapping[str, Secret]
) -> Containers:
    return Containers(
        app=app,
        target=target,
        folder=AppFolder(server.facts.home, app.name),
        user=server.facts.app_user,
        release=release,
        settings=release_settings(app, target, release.id, secrets),
    )
