"""The release's migrations: which are not applied yet, and their application."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from deploy_plugin.begun import begun
from deploy_plugin.containers import MIGRATES, Containers, manage_command, one_offs, serving, start
from deploy_plugin.database import recorded, snapshots
from deploy_plugin.errors import DeployError, NotYetKnown, StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.records import Record
from deploy_plugin.server.engine import Container, Finished
from deploy_plugin.server.files import script
from deploy_plugin.server.seen import behind
from deploy_plugin.words import few

if TYPE_CHECKING:
    from concurrent.futures import Future

    from deploy_plugin.server.base import Server

_PLAN = ("migrate", "--plan", "--no-color")
_MIGRATION = re.compile(r"^(\w+\.\w+)$", re.MULTILINE)
_EVERY = "every migration"
_LINES = 25
_PAUSE = 0.2
_MIGRATION_FAILED = "Fix the migration or the data, then deploy again."
_PLAN_FAILED = "The app can't even say which migrations it has: fix it, or the settings in [app.env] of deploy.toml."
_ALL_THERE = 'for folder do [ -d "$folder" ] || exit 1; done'


def begins(server: Server, containers: Containers) -> bool:
    """Whether the app's first release comes to a database that holds nothing: all its migrations are to be applied."""
    app = containers.app
    return bool(app.database) and serving(server, app) is None and not snapshots.holds_anything(server, containers)


class Migrations:
    """Those of one release on one server: several steps ask for them, and the app is asked once.

    Where the app ``begins`` there, nobody is asked: there is nothing that they could be applied to already.
    """

    def __init__(self, containers: Containers, record: Record | None = None, *, begins: bool = False) -> None:
        self.containers = containers
        self.begins = begins
        self.record = record or Record(containers.folder.record(containers.release.id))
        self.rehearsed = False
        """Whether they were seen to work on a copy of the data, in this run."""
        self._pending: Sequence[str] | None = None
        self._applied: Future[str | None] | None = None

    def pending(self, server: Server) -> Sequence[str]:
        """Name those that are not applied; ``NotYetKnown`` where the app can't be asked yet."""
        if self._pending is None:
            self._pending = () if self._is_as_recorded(server) else self._planned(server)
        return self._pending

    def applied(self, server: Server) -> str | None:
        """Digest those that are applied, see ``recorded.applied``; read once, as long as nothing is applied."""
        with suppress(DeployError):
            if self._applied and (found := self._applied.result()):
                return found
        self._applied = None
        return recorded.applied(server, self.containers)

    def look(self, server: Server) -> None:
        """Begin to read which are applied: somebody will ask for it, and there is more to do until then."""
        if self.containers.app.database and not self._applied:
            self._applied = begun(lambda: recorded.applied(behind(server), self.containers), "applied migrations")

    def missing(self, server: Server) -> str | None:
        """Say which are not applied, as a step's reason; None where all are."""
        pending = self.pending(server)
        if pending and self.begins:
            return "the database is empty"
        return f"{few(pending)} not applied yet" if pending else None

    def settle(self, server: Server) -> None:
        """Let what a killed deploy left running come to its end: two migrations at once would spoil each other's work.

        ``StepFailed`` where that takes longer than migrations may.
        """
        for left in one_offs(server, self.containers.app):
            if left.name.endswith(MIGRATES):
                self._await_end(server, left)
                self._pending = self._applied = None
            server.engine.remove(left.name)

    def apply(self, server: Server) -> None:
        """Apply them in a container of its own; a release that was started unseen starts anew on its schema."""
        self.settle(server)
        unseen = self.containers.app.proxied and not self._serves(server)
        if unseen:
            self.withdraw(server)
        # Never in a container that serves: whoever comes after a run that was killed would not see that it goes on.
        self._run(server, "migrate", "--no-input", "--no-color")
        self._pending = self._applied = None
        if unseen and not self.begins:  # the first of all is started when it has its schema
            start(server, self.containers)
        self.begins = False

    def withdraw(self, server: Server) -> None:
        """Take the release away that runs unseen: it has no business with a schema that it was not made for."""
        if self.containers.app.proxied and not self._serves(server):
            server.engine.remove(self.containers.serving.name)

    def _await_end(self, server: Server, left: Container) -> None:
        limit = self.containers.app.migration_limit
        deadline = time.monotonic() + limit
        while _runs(server, left.name):
            if time.monotonic() > deadline:
                raise StepFailed(
                    f"{left.name}, which another deploy left, still migrates the database after {limit} s.",
                    hint=f"Look at it on the server: docker logs {left.name}. To end it: docker rm -f {left.name}",
                )
            time.sleep(_PAUSE)

    def _serves(self, server: Server) -> bool:
        found = serving(server, self.containers.app)
        return found is not None and found.name == self.containers.serving.name

    def _require_its_surroundings(self, server: Server) -> None:
        image = self.containers.release.image
        if server.engine.image(image) is None:
            raise NotYetKnown(f"the migrations are in {image}, which is not on the server")
        # Docker would make a missing folder, as root's.
        if not script(server, _ALL_THERE, *self.containers.mounts).ok:
            raise NotYetKnown("the database's place is not there")

    def _is_as_recorded(self, server: Server) -> bool:
        """Whether the database has what it had when this release was seen to lack nothing: a release never changes."""
        found = self.record.read(server) or {}
        known = found.get("migrations")
        return known is not None and known == self.applied(server)

    def _planned(self, server: Server) -> Sequence[str]:
        plan = None if self.begins else self._ask_the_release(server)
        if plan is None:
            self._require_its_surroundings(server)
            if self.begins:
                return (_EVERY,)
            plan = self._run(server, *_PLAN)
        pending = _MIGRATION.findall(plan.stdout)
        if not pending:
            self.look(server)  # they are recorded in the end
        return pending

    def _run(self, server: Server, *arguments: str) -> Finished:
        limit = self.containers.app.migration_limit
        return _require_ok(server.engine.run_once(self.containers.manage(*arguments), limit=limit), arguments)

    def _ask_the_release(self, server: Server) -> Finished | None:
        """Ask for the plan where the release runs; None where it does not, or gives no good answer.

        One that ends as it starts, maybe for lack of a table, takes the command along, and may count as running still.
        """
        name = self.containers.serving.name
        if not _runs(server, name):
            return None
        try:
            done = server.engine.exec(name, manage_command(self.containers.app, *_PLAN))
        except StepFailed:
            return None
        return done if done.ok else None


def _require_ok(done: Finished, arguments: Sequence[str]) -> Finished:
    if not done.ok:
        raise StepFailed(
            f"manage.py {' '.join(arguments)} ended with exit code {done.exit_code} in the new image.",
            got="\n".join(done.text.splitlines()[-_LINES:]),
            hint=hint_for(done.text, _PLAN_FAILED if "--plan" in arguments else _MIGRATION_FAILED),
        )
    return done


def _runs(server: Server, name: str) -> bool:
    container = server.engine.container(name)
    return container is not None and container.running
