"""``pytest-deploy history``: what was deployed to a target, what became of it, and what can be gone back to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from deploy_plugin import past
from deploy_plugin.commands.output import columns, say, say_json, when
from deploy_plugin.commands.project import connected
from deploy_plugin.containers import RELEASE, serving
from deploy_plugin.errors import StepFailed

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest

    from deploy_plugin.past import Past

DEPLOY, ADOPT, ROLLBACK = "deploy", "adopt", "rollback"


@dataclass(frozen=True, slots=True)
class Event:
    """A deploy, a takeover, or a rollback by hand: visitors were sent to a release then."""

    what: str
    at: str | None
    """In UTC."""
    release: str
    commit: str | None
    by: str | None
    instead_of: str | None
    """Of a rollback: the release that served until then."""
    verified: bool | None
    """Whether the tests passed on it; null where nobody knows."""
    taken_back: bool
    """Of a deploy: whether its tests failed, and visitors were sent back to the release before."""
    serves: bool
    gone: str | None
    """What is missing of it on the server, so that it can't be gone back to; null where nothing is."""


def history(options: Namespace, config: pytest.Config) -> int:
    """List them, the newest first."""
    with connected(config, options.target) as (session, server):
        app = session.app
        if not server.facts.docker_access:
            raise StepFailed(
                f"{server.facts.user} can't use Docker on {session.target.name}, so nobody knows what is there.",
                hint="Deploy first, or let the user use Docker there.",
            )
        serves = serving(server, app)
        events = _events(past.look(server, app), serves.labels[RELEASE] if serves else "")
    if options.json:
        say_json([asdict(one) for one in events])
    else:
        say(
            columns([_shown(one) for one in events]) if events else f"No release of {app.name} was ever deployed there."
        )
    return 0


def _events(releases: Sequence[Past], serves: str) -> list[Event]:
    every = [event for one in releases for event in _of(one, serves=one.id == serves)]
    # Times are whole seconds; what was done to a release in one came after its deploy, and after others' deploys.
    return sorted(every, key=lambda event: (event.at or "", event.what == ROLLBACK, event.release), reverse=True)


def _of(one: Past, *, serves: bool) -> Iterator[Event]:
    record = one.record
    deployed = Event(
        what=ADOPT if one.is_adopted else DEPLOY,
        at=record.get("deployed"),
        release=one.id,
        commit=record.get("commit") or None,
        by=record.get("by"),
        instead_of=None,
        verified=one.verified,
        taken_back=bool(record.get("taken_back")),
        serves=serves,
        gone=one.gone or None,
    )
    yield deployed
    for again in record.get("rollbacks", ()):
        yield replace(deployed, what=ROLLBACK, taken_back=False, **again)


def _shown(event: Event) -> list[str]:
    commit = f"{event.commit[:7]}{event.commit[40:]}" if event.commit else ""
    tests = {True: "verified", False: "tests failed", None: "not verified"}[event.verified]
    state = "serves" if event.serves else event.gone or ("taken back" if event.taken_back else "")
    instead = f"in place of {event.instead_of}" if event.instead_of else ""
    return [when(event.at), event.what, event.release, commit, str(event.by or "?"), tests, state, instead]
