"""``pytest-deploy rollback``: a release that served before serves again."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from deploy_plugin import downtime, env_files, past, release
from deploy_plugin import rollback as by_hand
from deploy_plugin.commands.found import changing, is_live, latest, nothing_serves
from deploy_plugin.commands.output import require_consent, say, when
from deploy_plugin.commands.project import connected
from deploy_plugin.containers import RELEASE, is_proxied
from deploy_plugin.errors import StepFailed
from deploy_plugin.proxy import upstreams
from deploy_plugin.steps.target import RecallTarget

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest

    from deploy_plugin.past import Past
    from deploy_plugin.server.base import Server
    from deploy_plugin.session import Session

TESTS = {True: "its tests passed", False: "its tests FAILED", None: "nobody knows whether its tests passed"}


def rollback(options: Namespace, config: pytest.Config) -> int:
    """Go back to the release that is named, or to the one before."""
    with connected(config, options.target) as (session, server):
        RecallTarget(session.app.name, session.target).check(server)
        if latest(server, session) is None:
            raise nothing_serves(session)
        env_files.learn(session.redactor, server, session.app)
        with changing(server, session, "rollback") as there:
            return _go_back(options, session, there)


def _go_back(options: Namespace, session: Session, server: Server) -> int:
    container = latest(server, session)
    if container is None:
        raise nothing_serves(session)
    if closed := downtime.look(server, session.app.name):
        raise StepFailed(
            f"The site of {session.app.name} is closed: {closed}.",
            hint=f"A deploy ends that first: pytest --deploy-to={session.target.name}\n"
            f"So does putting a snapshot in the database's place: pytest-deploy restore {session.target.name} SNAPSHOT",
        )
    app, target = replace(session.app, proxied=is_proxied(container)), session.target
    now = release.of(server, app, target, container)
    serves = _served(server, app.name) or container.labels[RELEASE]
    chosen = by_hand.choose(past.look(server, app), serves, options.release, target.name)
    if container.running and chosen.id == container.labels[RELEASE] == serves:
        say(f"{chosen.id} serves on {target.name} already; nothing was changed.")
        return 0
    live = is_live(server, session)
    say(f"{target.name}{' (LIVE)' if live else ''}: from {serves} back to {_described(chosen)}.")
    then = release.recorded(server, app, target, chosen.record)
    if known := by_hand.require_compatible(server, then, chosen.record, now):
        say(f"The schema stays as it is: {known}.")
    if not options.yes and (live or not chosen.verified):
        require_consent()
    start = time.monotonic()
    by_hand.go_back(server, then, chosen.record, serves)
    say(f"Done in {time.monotonic() - start:.1f} s: {chosen.id} serves, and answers as a visitor asks: {target.url}")
    return 0


def _served(server: Server, app: str) -> str | None:
    """Name the release that the proxy sends visitors to, and be it that its container is gone."""
    told = upstreams.told(server, app)
    return told and told.removeprefix(f"{app}-")


def _described(chosen: Past) -> str:
    record = chosen.record
    came = "taken over" if chosen.is_adopted else "deployed"
    return f"{chosen.id}, {came} {when(record.get('deployed'))} by {record.get('by')}; {TESTS[chosen.verified]}"
