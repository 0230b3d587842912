"""Where each setting of a run came from, for the report header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy_plugin import toml
from deploy_plugin.config import FILE_NAME, Place


def origins(root: Path, place: Place, ssh_config: Path | None) -> str:
    """``name, port from deploy.toml [app]; host from [targets.staging]; the rest by default``.

    ``ssh_config`` is the one that was typed.
    """
    file = toml.read(root / FILE_NAME)
    own = place.table.values
    tables = {
        "[app]": [key for key in file.table("app").values if key not in own],
        "[database]": ["database" for key in file.table("database").values if key not in own.get("database", {})],
        place.table.name and f"[{place.table.name}]": list(own),
        "[verify]": list(file.table("verify").values),
    }
    told = [f"{', '.join(keys)} from {FILE_NAME} {table}" for table, keys in tables.items() if keys]
    typed = [f"ssh as --ssh-config={ssh_config} says"] if ssh_config else []
    return "; ".join(
        [*_once(told), *typed, "the rest by default" if told else f"all by default: there is no {FILE_NAME}"]
    )


def _once(told: Iterable[str]) -> Iterator[str]:
    """Name the file with its first table only."""
    for number, part in enumerate(told):
        yield part.replace(f" {FILE_NAME}", "") if number else part
