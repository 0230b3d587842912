"""Can the previous release live with the new schema? It is tried on the rehearsed copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deploy_plugin.containers import Containers, manage_command
from deploy_plugin.database import programs
from deploy_plugin.errors import StepFailed, Unreachable
from deploy_plugin.health import Probe, await_any_answer, await_healthy, is_healthy
from deploy_plugin.server.engine import ContainerSpec

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class Problem:
    """What the previous release can't do with a model's table."""

    model: str
    field: str
    said: str

    def __str__(self) -> str:
        where = f"{self.model}.{self.field}" if self.field else self.model
        return f"{where}: {self.said}"


@dataclass(frozen=True, slots=True)
class Tried:
    """How the previous release did."""

    problems: Sequence[Problem]
    patience: float
    """Seconds that its writers wait for the write lock."""


def try_on_copy(server: Server, previous: Containers, probe: Probe) -> Tried:
    """Let the previous release read and write every model on the copy, start it there, ask it as a visitor would."""
    release = previous.on_copy(previous.program("compatibility"))
    command = manage_command(previous.app, "shell", "-c", programs.text("compatible"))
    asks = replace(release, command=command, network="none")
    found = programs.answer(server.engine.run_once(asks), f"Trying {previous.release.id} on the new schema")
    seen = [Problem(one["model"], one["field"], one["problem"]) for one in found["problems"]]
    serves = server.engine.container(previous.serving.name)
    # The new release's health path may be none of the old one's.
    answers = await_healthy if serves and is_healthy(server, serves, probe) else await_any_answer
    return Tried(seen or _does_not_answer(server, release, probe, answers), found["patience"])


def _does_not_answer(
    server: Server, release: ContainerSpec, probe: Probe, answers: Callable[[Server, str, Probe], None]
) -> Sequence[Problem]:
    try:
        server.engine.start(release)
        answers(server, release.name, probe)
    except Unreachable:
        raise
    except StepFailed as error:
        return [Problem("its health path", "", str(error))]
    finally:
        server.engine.remove(release.name)
    return []
