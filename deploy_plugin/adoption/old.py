"""What is to be taken over: a container that somebody else made, its database, its keys. Looking changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin import settings
from deploy_plugin.containers import APP, manage_command
from deploy_plugin.database import programs
from deploy_plugin.errors import StepFailed
from deploy_plugin.health import Probe, is_healthy
from deploy_plugin.models import App, Target
from deploy_plugin.secret import Secret

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server
    from deploy_plugin.server.engine import Listed, Made, Mount

_KEY = "SECRET_KEY"
"""What the name of the setting ends with that Django signs sessions with."""
_KEY_FILE = ".secret-key"


@dataclass(frozen=True, slots=True)
class Old:
    """A site that serves, and that we did not deploy."""

    container: str
    made: Made
    port: int
    """Where it listens in its container."""
    database: PurePosixPath
    """Where it really is in the container: what SQLite keeps beside it is there as well."""
    named: PurePosixPath
    """How the site's settings name it."""
    is_healthy: bool
    """Whether it answers well at the app's health path."""
    key_digest: str
    hosts: Sequence[str]
    settings: Mapping[str, Secret]
    """The container's environment, but for what its image says; what named the database names the one that will be."""
    secrets: Mapping[str, Secret]
    """Those of the app's secrets whose values were found there."""

    @property
    def keeps_sessions(self) -> bool:
        """Whether one of the secrets is the key that the site signs sessions with."""
        return any(_digest(secret) == self.key_digest for secret in self.secrets.values())


def look(server: Server, app: App, target: Target) -> Old:
    """Find it; ``StepFailed`` where there is none, or where it has what can't be taken over."""
    container = _container(server, app, target)
    made = server.engine.made(container)
    port = _port(server, app, target, made, container)
    asked = server.engine.exec(container, manage_command(app, "shell", "-c", programs.text("describe")))
    said = programs.answer(asked, f"Asking {container} what it runs with")
    if not said["database"]:
        raise StepFailed(
            f"{container} keeps its data in {said['vendor']}, not in SQLite: there is no database file to take over.",
            hint="Give the new release the same settings for it, then deploy with --deploy-first.",
        )
    database = PurePosixPath(said["database"])
    named = PurePosixPath(said["named"])
    _require_ours_alone(app, container, made.mounts, database, said["beside"])
    _require_seen(app, container, named)
    own = dict(_settings(container, made.own_env))
    found = {**_from_files(server, app), **own}
    return Old(
        container=container,
        made=made,
        port=port,
        database=database,
        named=named,
        is_healthy=_is_healthy(server, container, Probe(app.health, target.netloc, port)),
        key_digest=said["key"],
        hosts=said["hosts"],
        settings={**own, **dict(_naming(made.env, named, app))},
        secrets=dict(_secrets(app, found, said["key"])),
    )


def _container(server: Server, app: App, target: Target) -> str:
    there = [one for one in server.engine.listing() if one.running] if server.facts.docker_access else []
    if any(one.labels.get(APP) == app.name for one in there):
        raise StepFailed(
            f"{app.name} is on {target.name} already, deployed by pytest-deploy: there is nothing to take over.",
            hint=f"Deploy: pytest --deploy-to={target.name}",
        )
    found = next((one for one in there if target.publish in one.publishes), None)
    if found is None:
        raise StepFailed(
            f"No container serves on port {target.publish} of {target.name}, so there is none to take over.",
            hint=_without_container(there, app),
        )
    return found.name


def _without_container(there: Sequence[Listed], app: App) -> str:
    if named := next((one.name for one in there if one.name == app.name), None):
        return f"{named} runs, and publishes another port: see publish in deploy.toml."
    return "If it was stopped, start it there: docker ps -a. What runs without Docker has to be moved by hand."


def _port(server: Server, app: App, target: Target, made: Made, container: str) -> int:
    port = made.ports[target.publish]
    image = server.engine.image(made.image)
    ours = app.port or next(iter(image.ports if image else ()), None)
    if ours != port:
        raise StepFailed(
            f"{container} listens on port {port}, and as far as deploy.toml says the app listens on {ours}.",
            hint=f"Take it over with port = {port} in deploy.toml.",
        )
    return port


def _require_ours_alone(
    app: App, container: str, mounts: Sequence[Mount], database: PurePosixPath, beside: Sequence[str]
) -> None:
    """Refuse where it would lose sight of something: only the database and the app's volumes come along."""
    known = {database, database.parent, *app.volumes.values()}
    if strange := next((mount for mount in mounts if mount.writable and mount.path not in known), None):
        raise StepFailed(
            f"{container} writes to {strange.path} ({strange.source} on the server), and deploy.toml does not know it.",
            hint=f'Let it be a volume of the app: volumes = {{ {strange.path.name} = "{strange.path}" }}',
        )
    if beside and database.parent in {mount.path for mount in mounts}:
        raise StepFailed(
            f"Beside its database {container} keeps {', '.join(beside[:3])} in {database.parent}: "
            "of that folder only the database can be taken over.",
            hint="Let it keep that in a folder of its own, which deploy.toml names in volumes.",
        )


def _require_seen(app: App, container: str, named: PurePosixPath) -> None:
    """Refuse a name for the database that the folder which is to be mounted would hide."""
    if app.database and named != app.database and app.database.parent in named.parents:
        raise StepFailed(
            f"{container} names its database {named}, and deploy.toml {app.database}, in the same folder.",
            hint=f'Let [database] say path = "{named}".',
        )


def _settings(container: str, env: Sequence[str]) -> Iterator[tuple[str, Secret]]:
    for line in env:
        key, _, value = line.partition("=")
        if "\n" in value:
            raise StepFailed(
                f"{container} has a setting of several lines, {key}, which an env file can't hold.",
                hint="Let it be one line, where the container is made, and make it anew.",
            )
        yield key, Secret(value)


def _naming(env: Sequence[str], named: PurePosixPath, app: App) -> Iterator[tuple[str, Secret]]:
    """Give those settings that name the database, and the name that it will have."""
    for line in env:
        key, _, value = line.partition("=")
        if value == str(named):
            yield key, Secret(str(app.database))


def _from_files(server: Server, app: App) -> dict[str, Secret]:
    """Read what a playbook keeps in the home: an env file, and a file with the key alone."""
    home = server.facts.home
    key = (server.read(home / _KEY_FILE) or b"").decode(errors="replace").strip()
    return {**({_KEY_FILE: Secret(key)} if key else {}), **settings.parse(server.read(home / f"{app.name}.env") or b"")}


def _secrets(app: App, found: Mapping[str, Secret], key_digest: str) -> Iterator[tuple[str, Secret]]:
    """Give each generated secret the value that it has there, by its name; Django's key by its value."""
    for name, source in app.secrets.items():
        if source.generate is None:
            continue
        key = next((value for value in found.values() if _digest(value) == key_digest), None)
        if name.endswith(_KEY) and key:
            yield name, key
        elif name in found:
            yield name, found[name]


def _is_healthy(server: Server, name: str, probe: Probe) -> bool:
    container = server.engine.container(name)
    return container is not None and is_healthy(server, container, probe)


def _digest(secret: Secret) -> str:
    return hashlib.sha256(secret.reveal().encode()).hexdigest()
