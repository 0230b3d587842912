"""``pytest-deploy restore`` and ``reset-db``: another database for the app, or an empty one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_plugin import confirmation, downtime, release
from deploy_plugin.commands.found import changing, folder_of, is_live, latest, nothing_serves
from deploy_plugin.commands.output import require_consent, say
from deploy_plugin.commands.project import connected
from deploy_plugin.database import kept, restore
from deploy_plugin.errors import ConfigError, StepFailed
from deploy_plugin.health import Probe

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest

    from deploy_plugin.containers import Containers
    from deploy_plugin.database.kept import Kept
    from deploy_plugin.server.base import Server
    from deploy_plugin.session import Session


def restore_one(options: Namespace, config: pytest.Config) -> int:
    """Put a snapshot in the database's place."""
    with connected(config, options.target) as (session, server):
        containers = _containers(server, session)
        snapshot = kept.find(server, folder_of(server, session), options.snapshot)
        with changing(server, session, "restore") as there:
            return _replace(options, session, there, containers, snapshot)


def reset(options: Namespace, config: pytest.Config) -> int:
    """Put an empty database in its place, with the tables of the release that serves."""
    with connected(config, options.target) as (session, server):
        if is_live(server, session):
            raise StepFailed(
                f"{session.target.name} is live: its database is never emptied.",
                hint="What is there can be replaced by a snapshot: pytest-deploy restore TARGET SNAPSHOT",
            )
        containers = _containers(server, session)
        with changing(server, session, "reset-db") as there:
            return _replace(options, session, there, containers, None)


def _replace(
    options: Namespace, session: Session, server: Server, containers: Containers, snapshot: Kept | None
) -> int:
    target, probe = session.target, Probe.of(session.app, session.target)
    live = is_live(server, session)
    with restore.prepared(server, containers, snapshot) as difference:
        what = snapshot.name if snapshot else "an empty database"
        say(f"{what} in place of the database on {target.name}{' (LIVE)' if live else ''}:\n{difference}")
        if not options.yes and (live or difference.loses):
            require_consent()
        closed = downtime.look(server, session.app.name)
        if closed:
            confirmation.of(server, containers).discard(server)
            downtime.without_data(server, session.app)
        before = restore.put_in_place(server, containers, probe, why="restore" if snapshot else "reset-db")
        if closed:
            downtime.open_again(server, session.app.name)
    say(f"Done, and {containers.release.id} answers. What was there before is kept: {before}")
    return 0


def _containers(server: Server, session: Session) -> Containers:
    if session.app.database is None:
        raise ConfigError(
            f"{session.app.name} has no database of which deploy.toml knows.", hint="Name it: path in [database]."
        )
    closed = downtime.look(server, session.app.name)
    left = server.engine.container(closed.serving[0]) if closed and closed.serving else None
    container = left or latest(server, session)
    if container is None:
        raise nothing_serves(session)
    return release.of(server, session.app, session.target, container)
