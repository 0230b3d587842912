"""What sandboxes there are, and how they go."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.sandbox.state import Sandbox, locked, orphaned, records, root
from deploy_plugin.server.local import engine_words, local_client

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

FOLDER_LABEL = "pytest-deploy.folder"


class State(StrEnum):
    """What a sandbox does now."""

    RUNNING = "running"
    STOPPED = "stopped"
    RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class Seen:
    """A sandbox, and its state at the time somebody looked."""

    sandbox: Sandbox
    state: State


def remove(sandbox: Sandbox) -> None:
    """Leave nothing of it: container, its Docker's volume, keys."""
    if sandbox.booted:
        with closing(local_client()) as client, engine_words(f"remove the sandbox {sandbox.name!r}"):
            container = existing(client, sandbox)
            if container is not None:
                _remove(container)
    with locked(root() / ".lock"):
        # The record first: a folder without one is nobody's.
        (sandbox.folder / "sandbox.json").unlink(missing_ok=True)
        shutil.rmtree(sandbox.folder, ignore_errors=True)


def every() -> list[Seen]:
    """Look at all sandboxes of this user, in the order of their names."""
    sandboxes = [record.sandbox() for record in records()]
    if not any(sandbox.booted for sandbox in sandboxes):
        return [Seen(sandbox, State.RESERVED) for sandbox in sandboxes]
    with closing(local_client()) as client, engine_words("say which sandboxes run"):
        return [Seen(sandbox, _state(client, sandbox)) for sandbox in sandboxes]


def sweep() -> list[str]:
    """Remove the throwaway sandboxes whose process is gone; give their names."""
    orphans = [record.sandbox() for record in records() if orphaned(record)]
    for sandbox in orphans:
        remove(sandbox)
    return [sandbox.name for sandbox in orphans]


def _remove(container: Container) -> None:
    from docker.errors import APIError, NotFound

    try:
        container.remove(force=True, v=True)
    except NotFound:
        return
    except APIError as error:
        # Somebody else sweeps as well; it is as good as gone.
        if error.status_code != HTTPStatus.CONFLICT:
            raise


def existing(client: DockerClient, sandbox: Sandbox) -> Container | None:
    from docker.errors import NotFound

    try:
        container = client.containers.get(container_name(sandbox))
    except NotFound:
        return None
    theirs = container.labels.get(FOLDER_LABEL)
    if theirs != str(sandbox.folder):
        raise StepFailed(
            f"The container {container.name} is not this sandbox, but one whose state is in {theirs}.",
            hint="Take another name for the sandbox.",
        )
    return container


def container_name(sandbox: Sandbox) -> str:
    return f"pytest-deploy-{sandbox.alias}"


def _state(client: DockerClient, sandbox: Sandbox) -> State:
    container = existing(client, sandbox) if sandbox.booted else None
    if container is None:
        return State.RESERVED
    return State.RUNNING if container.status == "running" else State.STOPPED
