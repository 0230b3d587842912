"""``pytest-deploy logs``: what the app says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from deploy_plugin import settings
from deploy_plugin.commands.found import latest, nothing_serves
from deploy_plugin.commands.output import say, warn
from deploy_plugin.commands.project import connected
from deploy_plugin.errors import StepFailed
from deploy_plugin.models import AppFolder
from deploy_plugin.secret import MASK, Secret

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
        masked = _Masked(_secrets(server, session))
        if options.follow:
            for line in _lines(server.engine.follow(container.name, lines=options.lines)):
                say(masked(line))
            warn(f"{container.name} ended.")
        elif log := server.engine.logs(container.name, lines=options.lines):
            say(masked(log))
    return 0


class _Masked:
    """Text without the secrets of the app, which it should not log, but may."""

    def __init__(self, secrets: Collection[Secret]) -> None:
        # The longest first: one may hold another.
        self._values = sorted((secret.reveal() for secret in secrets if secret.reveal()), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, MASK)
        return text


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


def _secrets(server: Server, session: Session) -> Collection[Secret]:
    content = server.read(AppFolder(server.facts.home, session.app.name).env_file)
    return settings.parse(content or b"").values()


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Put pieces together as whole lines."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.decode(errors="replace")
