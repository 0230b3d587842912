"""The records of the releases that served on a server: what was deployed, when, by whom, and what became of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from deploy_plugin.errors import StepFailed
from deploy_plugin.models import AppFolder
from deploy_plugin.server.files import script
from deploy_plugin.who import who

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

ADOPTED = "adopted"
"""Stands for the commit in the id of a release that was taken over: nobody knows what it was made from."""
# The names of all files; what is in a record, each line behind a blank. Without a process for each: they may be many.
_ALL = r"""
cd -- "$1" 2>/dev/null || exit 0
for path in *.env *.json; do
    [ -e "$path" ] || continue
    echo "$path"
    case $path in *.env) continue ;; esac
    while IFS= read -r line || [ -n "$line" ]; do printf ' %s\n' "$line"; done <"$path"
done
"""


@dataclass(slots=True)
class Record:
    """One release's record: read once in a run, as only one run at a time writes there."""

    path: PurePosixPath
    _read: bool = field(default=False, init=False)
    _found: Mapping[str, Any] | None = field(default=None, init=False)

    def read(self, server: Server) -> Mapping[str, Any] | None:
        """Give what it says; None where there is none, or where it can't be understood."""
        if not self._read:
            self._found = _object(server.read(self.path) or b"null")
            self._read = True
        return self._found

    def write(self, server: Server, what: Mapping[str, Any]) -> None:
        server.write(self.path, json.dumps(what, indent=2).encode() + b"\n", mode=0o600)
        self._read, self._found = True, dict(what)

    def add(self, server: Server, **more: object) -> None:
        """Let it say this as well; nothing is written where it does already, or where there is no record."""
        found = self.read(server)
        if found is not None and {**found, **more} != found:
            self.write(server, {**found, **more})


@dataclass(frozen=True, slots=True)
class Kept:
    """What a server keeps of an app's releases."""

    records: Sequence[Mapping[str, Any]]
    """The newest first."""
    settings: frozenset[str]
    """The ids of the releases whose settings are there, those of failed deploys too."""


def stamp() -> Mapping[str, str]:
    """Say when, in UTC, and by whom something is done now."""
    return {"at": datetime.now(UTC).isoformat(timespec="seconds"), "by": who()}


def every(server: Server, folder: AppFolder) -> Kept:
    """Read them all, with one command; what is no record is left out."""
    done = script(server, _ALL, folder.releases)
    if not done.ok:
        raise StepFailed(f"The records in {folder.path} can't be listed.", got=done.text)
    said = done.stdout.decode(errors="replace")
    names = frozenset(re.findall(r"^(?! )(.*)\.env$", said, re.MULTILINE))
    found = [_object(content.encode()) for content in re.findall(r"^(?! ).*\.json\n((?: .*\n)*)", said, re.MULTILINE)]
    records = [record for record in found if record and "release" in record]
    return Kept(sorted(records, key=lambda record: str(record["release"]), reverse=True), names)


def record(server: Server, folder: AppFolder, release_id: str) -> Mapping[str, Any] | None:
    return Record(folder.record(release_id)).read(server)


def _object(content: bytes) -> Mapping[str, Any] | None:
    try:
        found = json.loads(content)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
