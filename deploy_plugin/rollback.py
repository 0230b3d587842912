"""Going back by hand to a release that served before, with nothing but what is on the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deploy_plugin import confirmation, containers, past, records, traffic
from deploy_plugin.containers import Containers, is_proxied
from deploy_plugin.database import compatibility, recorded, rehearsal, snapshots
from deploy_plugin.database.migrations import Migrations
from deploy_plugin.errors import StepFailed
from deploy_plugin.health import Probe, await_healthy
from deploy_plugin.past import Past
from deploy_plugin.records import Record
from deploy_plugin.steps.candidate import StartCandidate
from deploy_plugin.steps.publish import Publish
from deploy_plugin.steps.switch import Switch

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

SAME_SCHEMA = "the database has the migrations that it had when {release} served"
SEEN = "{release} was seen to read and write every model on a copy of today's database"


def choose(newest_first: Sequence[Past], serves: str, wanted: str | None, target: str) -> Past:
    """Find the release that is asked for, or else the one before; ``StepFailed`` where it can't be gone back to."""
    hint = f"See which releases are kept there: pytest-deploy history {target}"
    if wanted is None:
        found = past.before(newest_first, serves)
        if found is None:
            raise StepFailed(f"There is no release before {serves} on {target} that could be gone back to.", hint=hint)
        return found
    found = next((one for one in newest_first if one.id == wanted), None)
    if found is None:
        raise StepFailed(f"No release {wanted!r} was ever deployed to {target}.", hint=hint)
    if found.gone:
        commit = str(found.record.get("commit", "")).partition("+")[0]
        again = f"Deploy its commit again: {commit}" if commit else hint
        raise StepFailed(f"{found.id} can't be gone back to: {found.gone}.", hint=again)
    return found


def require_compatible(server: Server, then: Containers, record: Mapping[str, Any], now: Containers) -> str:
    """Say how it is known that the release can live with today's schema; ``StepFailed`` where it can't.

    It is tried on a copy of today's database, unless that has the very migrations that it had when the release served.
    """
    Migrations(then).settle(server)  # what a killed run left may still change the schema
    if then.app.database is None or not snapshots.holds_anything(server, now):
        return ""
    if now.app.database != then.app.database:
        raise StepFailed(
            f"{then.release.id} has its database at {then.app.database}, and today's is at {now.app.database}: "
            "it would not see what was written since.",
            hint="Deploy its commit again.",
        )
    applied = record.get("migrations")
    if applied and applied == recorded.applied(server, now):
        return SAME_SCHEMA.format(release=then.release.id)
    try:
        rehearsal.copy_database(server, then)
        tried = compatibility.try_on_copy(server, then, Probe.of(then.app, then.target))
    finally:
        snapshots.remove_folder(server, then.folder.rehearsal)
    if tried.problems:
        raise StepFailed(
            f"{then.release.id} can't live with today's schema, so nothing was changed.",
            got="\n".join(map(str, tried.problems)),
            hint="The schema is never reversed. Undo what is wrong in the code, keep its migrations, and deploy that.",
        )
    return SEEN.format(release=then.release.id)


def go_back(server: Server, then: Containers, record: Mapping[str, Any], instead_of: str) -> None:
    """Let visitors go to the release, and what served end; whatever fails, they go where they went before.

    ``instead_of`` is the release that they are sent away from; the record tells of it.
    """
    probe = Probe.of(then.app, then.target)
    if then.app.proxied:
        _start(server, then, probe)
        confirmation.of(server, then).discard(server)
        with traffic.or_back(server, then, traffic.look(server, then)):
            Switch(then, probe, confirmed=False).apply(server)
            traffic.spare(server, then.app, then.serving.name)
            await_healthy(server, then.serving.name, probe)
        serves = server.engine.container(then.serving.name)
        assert serves  # noqa: S101 - it answered
        traffic.drain_others(server, then.app, serves)
    else:
        StartCandidate(then, probe).apply(server)
        confirmation.of(server, then).discard(server)
        Publish(then, probe, confirmed=False).apply(server)
    done = {**records.stamp(), "instead_of": instead_of}
    Record(then.folder.record(then.release.id)).add(server, rollbacks=[*record.get("rollbacks", ()), done])


def _start(server: Server, then: Containers, probe: Probe) -> None:
    """Start its container again, or another one like it, and wait until it answers; one that does not ends again."""
    name = then.serving.name
    found = server.engine.container(name)
    if found is None or not is_proxied(found):
        containers.start(server, then)
    elif not found.running:
        server.engine.start_again(name)
    ran = found is not None and found.running
    try:
        _await(server, then, probe, again=ran)
    except BaseException:
        if not ran:
            server.engine.stop(name)
        raise


def _await(server: Server, then: Containers, probe: Probe, *, again: bool) -> None:
    """Wait until it answers; ``again``, too, if it ends meanwhile, because its time was over just then."""
    name = then.serving.name
    try:
        await_healthy(server, name, probe)
    except StepFailed:
        found = server.engine.container(name)
        if not again or found is None or found.running:
            raise
        traffic.spare(server, then.app, name)
        await_healthy(server, name, probe)
