"""The new release's migrations, applied to a copy of the real data before anything else changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from deploy_plugin.containers import Containers
from deploy_plugin.database import programs, snapshots
from deploy_plugin.errors import StepFailed

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What the migrations did to the copy."""

    applied: Mapping[str, float]
    """Seconds that each took; it holds the write lock no longer than that."""
    before: Mapping[str, int]
    after: Mapping[str, int]
    """Rows in each table."""
    patience: float
    """Seconds that the app's writers wait for the write lock."""
    error: Mapping[str, Any] | None = None

    @property
    def longest(self) -> float:
        return max(self.applied.values(), default=0.0)

    @property
    def summary(self) -> str:
        """What would be applied, how long it takes, and what becomes of the rows."""
        names = ", ".join(f"{name} in {seconds:.2f} s" for name, seconds in self.applied.items())
        tables = sorted(self.before.keys() | self.after.keys())
        changed = [table for table in tables if self.before.get(table) != self.after.get(table)]
        rows = [
            f"{table}: {_rows(self.before.get(table))} before, {_rows(self.after.get(table))} after"
            for table in changed
        ]
        kept = [f"{table} {self.before[table]}" for table in tables if table not in changed]
        same = [f"rows as before: {', '.join(kept)}"] if kept else []
        return "\n".join([f"{names}; the write lock is held {self.longest:.2f} s at most", *rows, *same])


def rehearse(server: Server, containers: Containers) -> Rehearsal:
    """Migrate the copy that is in the rehearsal's folder, in the new image, which reaches no network."""
    spec = containers.on_copy(containers.manage("shell", "-c", programs.text("rehearse")))
    shown = {"DEPLOY_SHOW_VALUES": "1"} if containers.target.show_values else {}
    spec = replace(spec, name=f"{spec.name}-rehearsal", env={**spec.env, **shown}, network="none")
    done = server.engine.run_once(spec, limit=containers.app.migration_limit)
    found = programs.answer(done, "The rehearsal of the migration")
    if PurePosixPath(found["database"]) != containers.database:
        raise StepFailed(
            f"The app's settings name {found['database']} as its database, and [database] path in deploy.toml "
            f"is {containers.database}: what was rehearsed is not what would be migrated.",
            hint="Let both name the same file.",
        )
    return Rehearsal(
        applied={one["name"]: one["seconds"] for one in found["applied"]},
        before=found["before"],
        after=found["after"],
        patience=found["patience"],
        error=found.get("error"),
    )


def copy_database(server: Server, containers: Containers) -> None:
    """Put a verified copy of the real database where the rehearsal takes place."""
    snapshots.remove_folder(server, containers.folder.rehearsal)
    snapshots.take(server, containers, containers.folder.rehearsal / containers.database.name)


def failed(error: Mapping[str, Any], target: str, *, live: bool) -> StepFailed:
    """Say what the migration would not do to the real data, which rows stand in its way, and the ways out."""
    where = f"{error['migration']} " if error["migration"] else ""
    message = error["message"] or f"its words may hold what a row does: they are shown with -v. At {error['place']}"
    return StepFailed(
        f"The migration {where}fails on a copy of the data, so nothing was changed.",
        got="\n".join([f"{error['kind']}: {message}", *_rows_in_the_way(error)]),
        hint=_ways_out(target, live=live) if error.get("groups") else "Mend the migration, then deploy again.",
    )


def _ways_out(target: str, *, live: bool) -> str:
    way = "Ways out: a data migration before it, that puts these rows right"
    return f"{way}." if live else f"{way}; or, where the data may go: pytest-deploy reset-db {target}."


def _rows_in_the_way(error: Mapping[str, Any]) -> Sequence[str]:
    groups: Sequence[Mapping[str, Any]] = error.get("groups", ())
    if not groups:
        return ()
    columns = ", ".join(error["columns"])
    lines = [f"{error['rows']} rows of {error['table']} stand in its way, in {error['sets']} places ({columns}):"]
    for group in groups:
        values = ", ".join(f"{column} = {value!r}" for column, value in group.get("values", {}).items())
        lines.append(f"  {_keys(group['keys'])}{f': {values}' if values else ''}")
    if error["sets"] > len(groups):
        lines.append(f"  and {error['sets'] - len(groups)} more places")
    if error.get("hides") and any("values" not in group for group in groups):
        lines.append("Their values are shown with -v.")
    return lines


def _keys(keys: Sequence[str]) -> str:
    return f"keys {', '.join(keys)}" if len(keys) > 1 else f"key {keys[0]}"


def _rows(count: int | None) -> str:
    return "no such table" if count is None else f"{count} rows"
