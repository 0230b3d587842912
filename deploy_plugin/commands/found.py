"""What a command is about: the container, the folder, and whether it is live."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deploy_plugin import lease
from deploy_plugin.containers import APP, RELEASE, is_release, serving
from deploy_plugin.errors import StepFailed
from deploy_plugin.fence import fenced
from deploy_plugin.models import AppFolder
from deploy_plugin.steps import target

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server
    from deploy_plugin.server.engine import Container
    from deploy_plugin.session import Session


def latest(server: Server, session: Session, release: str | None = None) -> Container | None:
    """Find the container that serves, or else the newest that was made to; where a release is named, that one's."""
    if not server.facts.has_docker:
        return None
    serves = serving(server, session.app)
    if serves and release in {None, serves.labels.get(RELEASE)}:
        return serves
    wanted = {APP: session.app.name, **({RELEASE: release} if release else {})}
    newest_first = [one for one in server.engine.containers(wanted) if is_release(one)]
    return next((one for one in newest_first if one.running), None) or next(iter(newest_first), None)


def folder_of(server: Server, session: Session) -> AppFolder:
    return AppFolder(server.facts.home, session.app.name)


def is_live(server: Server, session: Session) -> bool:
    """Whether deploy.toml or a plugin says so, or the server remembers it."""
    return session.target.live or target.is_live(server, folder_of(server, session).target_file)


@contextmanager
def changing(server: Server, session: Session, purpose: str) -> Iterator[Server]:
    """Hold the app's lease, and give the server to change something there."""
    with lease.held(server, session.app.name, session.target.name, purpose) as mine:
        yield fenced(server, mine)


def nothing_serves(session: Session) -> StepFailed:
    return StepFailed(
        f"No release of {session.app.name} serves on {session.target.name}.",
        hint=f"Deploy first: pytest --deploy-to={session.target.name}",
    )
