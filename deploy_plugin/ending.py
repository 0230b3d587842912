"""How a deploy ends: its release stays, or visitors go where they went before."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from deploy_plugin import confirmation, containers, disk, downtime, prune, records, traffic
from deploy_plugin.containers import Containers
from deploy_plugin.errors import DeployError, RollbackFailed, Unreachable
from deploy_plugin.models import App, Outcome
from deploy_plugin.traffic import Traffic
from deploy_plugin.words import few

if TYPE_CHECKING:
    from deploy_plugin.runner import Runner
    from deploy_plugin.server.base import Server

GOES_BACK = "Visitors get the maintenance page; within {seconds} s the server goes back by itself, with the snapshot."


def commit(app: App, server: Server, runner: Runner, *, verified: bool | None = None) -> None:
    """Let the release stay; ``StepFailed`` where the server has taken it back already.

    What served before finishes what it began, and ends: it stays, stopped, as long as going back may need it. Where it
    is known whether the release passed its tests, its record says so from now on.
    """
    if runner.way_back and runner.way_back.restores:
        downtime.commit(server, runner.way_back.tried)
    elif runner.way_back and runner.way_back.name:
        confirmation.of(server, runner.way_back.tried).end(server)
    serves = containers.serving(server, app)
    if serves and app.proxied:
        traffic.drain_others(server, app, serves)
    if runner.record and verified is not None:
        runner.record.add(server, verified=verified)
    if serves and (runner.recap.count(Outcome.CHANGED) or prune.is_needed(server, app)):
        _clear_away(app, server, runner, serves.labels[containers.RELEASE])


def take_back(server: Server, runner: Runner) -> None:
    """Let visitors go where they went before the deploy; ``RollbackFailed`` where that is not certain."""
    assert runner.way_back is not None  # noqa: S101 - there was a deploy
    waits = confirmation.of(server, runner.way_back.tried)
    if not runner.way_back.restores:
        waits.discard(server)
    runner.run([runner.way_back], changed=Outcome.RESCUED)
    waits.discard(server)  # during a downtime only now: the server has to finish what this run can't
    if runner.record:
        with suppress(DeployError):  # visitors are where they were, and that is what counts
            runner.record.add(server, verified=False, taken_back=records.stamp())


def go_back(server: Server, before: Traffic, tried: Containers, error: BaseException, *, restores: bool) -> None:
    """Send visitors where they went before, and remove what was tried; that must not hide what went wrong."""
    if restores:
        try:
            downtime.go_back(server, tried.app, tried.target.name)
        except RollbackFailed as second:
            raise RollbackFailed(second.message, got=f"{error}\n{second.got}", hint=second.hint) from error
        except Unreachable:
            if isinstance(error, DeployError):
                error.hint = f"{error.hint}\n{GOES_BACK.format(seconds=tried.app.confirm)}".strip()
            return
    with suppress(DeployError):
        confirmation.of(server, tried).discard(server)
        containers.remove_candidates(server, tried.app)
    if not tried.app.proxied or tried.serving.name in {before.container, *before.published}:
        return
    try:
        traffic.send_back(server, tried, before)
        server.engine.remove(tried.serving.name)
    except Unreachable:
        return  # either release serves them
    except DeployError as second:
        raise traffic.rollback_failed(error, second) from error


def _clear_away(app: App, server: Server, runner: Runner, serves: str) -> None:
    """Remove what is old, and say what is left; the release stays, whether that can be done or not."""
    names = runner.way_back.before.serving if runner.way_back else ()
    try:
        removed = prune.prune(server, app, serves, [name.removeprefix(f"{app.name}-") for name in names])
        if removed:
            runner.afterwards.append(f"no longer needed, and removed there: {few(removed)}")
        if taken := str(disk.look(server, app)):
            runner.afterwards.append(f"{app.name} on the server's disk: {taken}")
    except DeployError as error:
        runner.afterwards.append(f"What is old was not cleared away: {runner.redactor.redact(error.message)}")
