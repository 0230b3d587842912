"""Wait until a container answers as visitors will ask it."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.models import App, Target
from deploy_plugin.server.engine import Container

if TYPE_CHECKING:
    from deploy_plugin.server.base import Answer, Server

PATIENCE = 30.0
"""Seconds that a container has for its first good answer."""
SECOND_START = 10.0
"""Seconds that one has which served before."""
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Probe:
    """The question: the health path, with the Host header that a visitor's browser will send.

    Any other Host is refused by Django's ALLOWED_HOSTS, and would prove nothing.
    """

    path: str
    host: str
    port: int | None
    """The image's EXPOSE where it is None."""

    @classmethod
    def of(cls, app: App, target: Target) -> Probe:
        return cls(app.health, target.netloc, app.port)


def is_healthy(server: Server, container: Container, probe: Probe) -> bool:
    try:
        return _ask(server, container, probe).ok
    except OSError:
        return False


def await_healthy(server: Server, name: str, probe: Probe, patience: float = PATIENCE) -> None:
    """Ask until the answer is good; a container that died, or will never give one, ends it at once."""
    deadline = time.monotonic() + patience
    while True:
        container = _running(server, name)
        try:
            answer = _ask(server, container, probe)
        except OSError:
            last = f"Nothing answers on port {port_of(server, container, probe)} of the container."
        else:
            if answer.ok:
                return
            last = _no_good(answer, probe)
            if answer.never_gets_better:
                raise _unhealthy(server, name, probe, last)
        if time.monotonic() > deadline:
            raise _unhealthy(server, name, probe, f"{last} It was asked for {patience:.0f} s.")
        time.sleep(_PAUSE)


def await_any_answer(server: Server, name: str, probe: Probe) -> None:
    """Give a container that served before the time to do so again; what it then answers is its own affair.

    It may be asked in the wrong place, as the probe is the new release's: no answer is no error, but its death is.
    """
    deadline = time.monotonic() + SECOND_START
    while time.monotonic() < deadline:
        container = _running(server, name)
        with suppress(OSError):
            _ask(server, container, probe)
            return
        time.sleep(_PAUSE)


def port_of(server: Server, container: Container, probe: Probe) -> int:
    """Say where the app listens: as ``deploy.toml`` says, or the image."""
    if probe.port:
        return probe.port
    reference = container.labels.get("deploy.image", "")
    image = server.engine.image(reference)
    if image is None or not image.ports:
        raise StepFailed(
            f"Where the app listens is not known: the image {reference} has no EXPOSE.",
            hint="Add EXPOSE to the Dockerfile, or port to the [app] table of deploy.toml.",
        )
    return image.ports[0]


def _ask(server: Server, container: Container, probe: Probe) -> Answer:
    return server.get(container.address, port_of(server, container, probe), probe.path, host=probe.host)


def _running(server: Server, name: str) -> Container:
    """Give a container that has to run; where it died, ``StepFailed`` shows the end of its log."""
    container = server.engine.container(name)
    if container is None or not container.running:
        raise _died(server, name, container)
    return container


def _no_good(answer: Answer, probe: Probe) -> str:
    where = f"{probe.path} answers {answer.status}"
    if answer.status == HTTPStatus.BAD_REQUEST:
        return f"{where} to Host: {probe.host}. In a Django app that is ALLOWED_HOSTS: it must hold that name."
    if "location" in answer.headers:
        return f"{where} and redirects to {answer.headers['location']}; a health path must answer by itself."
    return f"{where}."


def _died(server: Server, name: str, container: Container | None) -> StepFailed:
    if container is None:
        return StepFailed(f"The container {name} is gone; somebody removed it.", hint="Deploy again.")
    log = _log(server, name)
    return StepFailed(
        f"The container {name} ended with exit code {container.exit_code} instead of serving.",
        got=log,
        hint=hint_for(log, "It should keep running in the foreground: see the CMD of the Dockerfile."),
    )


def _unhealthy(server: Server, name: str, probe: Probe, why: str) -> StepFailed:
    log = _log(server, name)
    return StepFailed(
        f"The container {name} runs, but is not healthy. {why}",
        got=log,
        hint=hint_for(log, f"The health path {probe.path!r} is set by health in deploy.toml."),
    )


def _log(server: Server, name: str) -> str:
    log = server.engine.logs(name)
    return f"The end of its log:\n{log}" if log else "It logged nothing."
