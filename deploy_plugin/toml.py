"""``deploy.toml`` as values; whatever it should not say is an error that names the file, the line and the key."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from deploy_plugin.errors import ConfigError

T = TypeVar("T")

APP_KEYS = frozenset(
    (
        "name",
        "context",
        "port",
        "health",
        "manage",
        "platform",
        "volumes",
        "env",
        "secrets",
        "database",
        "proxy",
        "drain",
        "confirm",
        "maintenance",
        "static",
        "keep_releases",
    )
)
TARGET_KEYS = frozenset(("host", "url", "live", "publish", "ssh_config", "testinfra", "manage_allow", "on_failure"))
VERIFY_KEYS = frozenset(("export_env",))
TOP_KEYS = frozenset(("app", "database", "targets", "verify"))


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the file, which knows where it stands: ``name`` is ``app.env``, empty at the top."""

    path: Path
    name: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    above: Table | None = None
    """The table that some of the values came from instead, see ``merged``: an error in one of them names it."""

    def only(self, known: frozenset[str]) -> Table:
        """Refuse a key that is not ``known``, naming the nearest one that is."""
        for key in self.values:
            if key not in known:
                nearest = difflib.get_close_matches(key, known, n=1)
                guess = f"did you mean {nearest[0]!r}?" if nearest else f"known here: {', '.join(sorted(known))}"
                self.refuse(key, f"is not a key of {self._heading}; {guess}")
        return self

    def get(self, key: str, kind: type[T], default: T) -> T:
        value = self.values.get(key, default)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.refuse(key, f"must be {_kind_name(kind)}, not {value!r}")
        return value

    def optional(self, key: str, kind: type[T]) -> T | None:
        return self.get(key, kind, None) if key in self.values else None

    def table(self, key: str) -> Table:
        name = f"{self.name}.{key}" if self.name else key
        above = self.above.table(key) if self.above and key in self.above.values else None
        return Table(self.path, name, self.get(key, dict, {}), above)

    def map(self, convert: Callable[[Table, str, Any], T]) -> dict[str, T]:
        return {key: convert(self, key, value) for key, value in self.values.items()}

    def refuse(self, key: str, why: str) -> NoReturn:
        if self.above and key in self.above.values:
            self.above.refuse(key, why)
        dotted = f"{self.name}.{key}" if self.name else key
        raise ConfigError(f"{self.place_of(key)}: {dotted} {why}")

    def place_of(self, key: str) -> str:
        """Say where a key stands: ``deploy.toml:7``."""
        line = _line_of(self.path, self.name, key)
        return f"{self.path.name}:{line}" if line else self.path.name

    @property
    def _heading(self) -> str:
        return f"[{self.name}]" if self.name else "the file's top level"


def read(path: Path) -> Table:
    """Read the file, or give an empty table where there is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Table(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name} can't be read: {error}") from error
    try:
        return Table(path, values=tomllib.loads(text)).only(TOP_KEYS)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name} is not valid TOML: {error}") from error


def merged(below: Table, above: Table, keys: frozenset[str]) -> Table:
    """``below`` with those ``keys`` that ``above`` gives; tables merge key by key."""
    values = dict(below.values)
    for key, value in above.values.items():
        if key in keys:
            both_are_tables = isinstance(value, dict) and isinstance(values.get(key), dict)
            values[key] = {**values[key], **value} if both_are_tables else value
    return Table(below.path, below.name, values, above)


def _kind_name(kind: type) -> str:
    return {str: "a string", int: "a whole number", bool: "true or false", dict: "a table", list: "a list"}[kind]


def _line_of(path: Path, table: str, key: str) -> int | None:
    """Find where a key stands: tomllib gives no position for what is valid TOML."""
    if not path.is_file():
        return None
    here = ""
    whole = f"{table}.{key}" if table else key
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if text.startswith("["):
            here = re.sub(r"""["'\s]""", "", text.split("#")[0]).strip("[]")
            if f"{here}.".startswith(f"{whole}."):
                return number
        elif here == table and text.split("=")[0].strip().strip("\"'") == key:
            return number
    # It stands in an inline table, on the line of that.
    outer, _, inner = table.rpartition(".")
    return _line_of(path, outer, inner) if table else None
