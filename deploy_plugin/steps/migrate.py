"""Bring the database to the release's schema."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin import migrations, records
from deploy_plugin.containers import Containers, manage_command, serving, start
from deploy_plugin.errors import NotYetKnown, StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.server.engine import Finished
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

_MIGRATION = re.compile(r"^(\w+\.\w+)$", re.MULTILINE)
_LINES = 25
_MIGRATION_FAILED = "Fix the migration or the data, then deploy again."
_PLAN_FAILED = "The app can't even say which migrations it has: fix it, or the settings in [app.env] of deploy.toml."
_ALL_THERE = 'for folder do [ -d "$folder" ] || exit 1; done'


@dataclass(frozen=True, slots=True)
class Migrate:
    """Apply the new image's migrations in a container of its own, while the old release still serves.

    Behind a proxy the new release runs already, unseen: it is asked, and starts anew on the schema it was made for.
    """

    containers: Containers
    title: str = "Migrate"

    def check(self, server: Server) -> str | None:
        self._require_its_surroundings(server)
        if self._is_as_recorded(server):
            return None
        plan = self._manage(server, "migrate", "--plan", "--no-color")
        pending = _MIGRATION.findall(plan.stdout)
        return f"{_few(pending)} not applied yet" if pending else None

    def apply(self, server: Server) -> None:
        unseen = self.containers.app.proxied and not self._serves(server)
        if unseen:
            server.engine.remove(self.containers.serving.name)
        self._manage(server, "migrate", "--no-input", "--no-color")
        if unseen:
            start(server, self.containers)

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
        found = records.record(server, self.containers.folder, self.containers.release.id) or {}
        known = found.get("migrations")
        return known is not None and known == migrations.applied(server, self.containers)

    def _manage(self, server: Server, *arguments: str) -> Finished:
        done = self._ask_the_release(server, *arguments) or server.engine.run_once(self.containers.manage(*arguments))
        if not done.ok:
            raise StepFailed(
                f"manage.py {' '.join(arguments)} ended with exit code {done.exit_code} in the new image.",
                got="\n".join(done.text.splitlines()[-_LINES:]),
                hint=hint_for(done.text, _PLAN_FAILED if "--plan" in arguments else _MIGRATION_FAILED),
            )
        return done

    def _ask_the_release(self, server: Server, *arguments: str) -> Finished | None:
        """Run the command where the release runs; None where it does not, or not any more."""
        name = self.containers.serving.name
        if not _runs(server, name):
            return None
        try:
            done = server.engine.exec(name, manage_command(self.containers.app, *arguments))
        except StepFailed:
            if _runs(server, name):
                raise
            return None
        # An app that looks at its tables as it starts ends without them; that is no answer.
        return done if done.ok or _runs(server, name) else None


def _runs(server: Server, name: str) -> bool:
    container = server.engine.container(name)
    return container is not None and container.running


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown  # noqa: PLR2004 - as many as a line holds
