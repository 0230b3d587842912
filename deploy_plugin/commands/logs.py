"""``pytest-deploy logs``: what the app says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from deploy_plugin import env_files
from deploy_plugin.commands.found import latest, nothing_serves
from deploy_plugin.commands.output import say, warn
from deploy_plugin.commands.project import connected
from deploy_plugin.errors import StepFailed

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest

    from deploy_plugin.server.base import Server
    from deploy_plugin.server.engine import Container
    from deploy_plugin.session import Session


def logs(options: Namespace, config: pytest.Config) -> int:
    """Print the end of the log, and go on with --follow until the container ends."""
    with connected(config, options.target) as (session, server):
        container = _container(server, session, options.release)
        env_files.learn(session.redactor, server, session.app)  # an app should not log its secrets, but may
        redact = session.redactor.redact
        if options.follow:
            for line in _lines(server.engine.follow(container.name, lines=options.lines)):
                say(redact(line))
            warn(f"{container.name} ended.")
        elif log := server.engine.logs(container.name, lines=options.lines):
            say(redact(log))
    return 0


def _container(server: Server, session: Session, release: str | None) -> Container:
    container = latest(server, session, release)
    if container:
        return container
    if release is None:
        raise nothing_serves(session)
    raise StepFailed(
        f"There is no container of the release {release} on {session.target.name}.",
        hint=f"Those that served: pytest-deploy status {session.target.name}",
    )


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Put pieces together as whole lines."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.decode(errors="replace")
