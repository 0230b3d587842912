"""The releases that were deployed to a server before, and which of them can be gone back to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy_plugin import records
from deploy_plugin.models import App, AppFolder
from deploy_plugin.records import Kept

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

NO_IMAGE = "its image is gone"
NO_SETTINGS = "its settings are gone"


@dataclass(frozen=True, slots=True)
class Past:
    """A release that served, now or before."""

    record: Mapping[str, Any]
    gone: str = ""
    """What is missing of it on the server; empty where it can be gone back to."""

    @property
    def id(self) -> str:
        return str(self.record["release"])

    @property
    def is_adopted(self) -> bool:
        """Whether it was taken over from somebody else, and never deployed by us."""
        return self.id.endswith(f"-{records.ADOPTED}")

    @property
    def image(self) -> str:
        return str(self.record.get("image"))

    @property
    def verified(self) -> bool | None:
        """Whether the tests passed on it; None where nobody knows."""
        found = self.record.get("verified")
        return found if isinstance(found, bool) else None


def look(server: Server, app: App) -> Sequence[Past]:
    """Look at all of them, the newest first."""
    kept = records.every(server, AppFolder(server.facts.home, app.name))
    return of(kept, [image.reference for image in server.engine.tagged(app.name)])


def of(kept: Kept, images: Collection[str]) -> Sequence[Past]:
    """The same, of what is known already: ``images`` are those that are there."""
    return [Past(record, _gone(record, images, kept.settings)) for record in kept.records]


def before(newest_first: Sequence[Past], release_id: str) -> Past | None:
    """Choose where to go back to from a release: the newest one before it on which the tests passed.

    Where there is none, one of which that is not known; one that failed them only if there is no other.
    """
    older = [past for past in newest_first if past.id < release_id and not past.gone]
    return min(older, key=lambda past: (True, None, False).index(past.verified), default=None)


def _gone(record: Mapping[str, Any], images: Collection[str], settings: frozenset[str]) -> str:
    if record.get("image") not in images:
        return NO_IMAGE
    return "" if record["release"] in settings else NO_SETTINGS
