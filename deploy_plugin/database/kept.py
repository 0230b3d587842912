"""The snapshots that a server keeps: which there are, which of them are whole, and which may go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.models import AppFolder
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

NEWEST = 5
"""How many are kept, whatever their age."""
DAYS = 7
"""For how many days the last one of each is kept."""
# $1: the folder; $2: whether to look at what is in them. One line each: size, time in seconds, yes or no, name
_LIST = """
cd -- "$1" 2>/dev/null || exit 0
for name in *.sqlite3; do
  [ -e "$name" ] || continue
  whole=yes
  if [ "$2" = yes ]; then sha256sum -c "$name.sha256" >/dev/null 2>&1 || whole=no; fi
  echo "$(stat -c '%s %Y' -- "$name") $whole $name"
done
"""
_REMOVE = 'cd -- "$1" && shift && for name do rm -f -- "$name" "$name.sha256"; done'


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot on the server."""

    path: PurePosixPath
    taken: datetime
    """In UTC."""
    size: int
    """Bytes."""
    whole: bool
    """Whether it has its checksum; true as well where nobody looked."""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def before(self) -> str:
        """The release whose migrations came next, or what else was done then."""
        return self.path.stem.removeprefix("db-")


def listing(server: Server, folder: AppFolder, *, verify: bool = True) -> Sequence[Kept]:
    """List them, the newest first."""
    done = script(server, _LIST, folder.snapshots, "yes" if verify else "no")
    if not done.ok:
        raise StepFailed(f"The snapshots in {folder.snapshots} can't be listed.", got=done.text)
    found = [_kept(folder, line) for line in done.stdout.decode().splitlines()]
    return sorted(found, key=lambda kept: (kept.taken, kept.name), reverse=True)


def find(server: Server, folder: AppFolder, name: str) -> Kept:
    """Find one by its name, or by the release that it was taken before; it has to be whole."""
    every = listing(server, folder)
    found = next((kept for kept in every if name in {kept.name, kept.before}), None)
    if found is None:
        names = ", ".join(kept.name for kept in every) or "none"
        raise StepFailed(f"There is no snapshot {name!r} on the server.", hint=f"Snapshots there: {names}.")
    if not found.whole:
        raise StepFailed(f"{found.name} is not what its checksum says: it is damaged.", hint="Take another snapshot.")
    return found


def prune(server: Server, folder: AppFolder) -> Sequence[str]:
    """Remove all but the newest, and the last of each day of a week; name what was removed."""
    every = listing(server, folder, verify=False)
    staying = {kept.name for kept in _staying(every, datetime.now(UTC))}
    leaving = [kept.name for kept in every if kept.name not in staying]
    if leaving:
        script(server, _REMOVE, folder.snapshots, *leaving)
    return leaving


def _staying(newest_first: Sequence[Kept], now: datetime) -> Iterator[Kept]:
    yield from newest_first[:NEWEST]
    days = set()
    for kept in newest_first:
        if kept.taken > now - timedelta(days=DAYS) and kept.taken.date() not in days:
            days.add(kept.taken.date())
            yield kept


def _kept(folder: AppFolder, line: str) -> Kept:
    size, taken, whole, name = line.split(" ", 3)
    return Kept(folder.snapshots / name, datetime.fromtimestamp(int(taken), UTC), int(size), whole == "yes")
