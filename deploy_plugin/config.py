"""``deploy.toml`` and the options of a run, as an App and a Target."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from deploy_plugin import toml
from deploy_plugin.destination import is_bare_word, is_destination, is_ssh_alias
from deploy_plugin.errors import ConfigError
from deploy_plugin.models import KEEP, ROLLBACK, App, SecretSource, Target
from deploy_plugin.toml import Table

FILE_NAME = "deploy.toml"
SANDBOX = "sandbox"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?\Z")
_LAST_PORT = 65535
# What AppFolder has without a dot in its name.
_OUR_NAMES = frozenset(
    ("data", "releases", "snapshots", "rehearsal", "lease", "downtime", "unconfirmed", "stopped", "adopting")
)
PROXY = "proxy"
_PROXIES = frozenset(("caddy", "none"))
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_KEYS = frozenset(("generate", "from_env", "command"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run goes, before anything was settled about a sandbox's address."""

    name: str
    """As it was typed: it stands in the recap."""
    host: str
    """``[user@]host[:port]``, ``sandbox`` or ``sandbox:NAME``."""
    table: Table
    """What ``deploy.toml`` says of it; empty where it says nothing."""

    @property
    def is_sandbox(self) -> bool:
        return self.host == SANDBOX or self.host.startswith(f"{SANDBOX}:")

    @property
    def sandbox_name(self) -> str | None:
        """None where it is none, or a throwaway one."""
        return self.host.partition(":")[2] or None if self.is_sandbox else None


def find_place(
    typed: str, root: Path, added: Mapping[str, Mapping[str, Any]] | None = None, *, ssh_config: Path | None = None
) -> Place:
    """Say what ``--deploy-to=TYPED`` means: a named target, a sandbox, or a destination for ssh.

    ``added`` are targets that plugins name; ``deploy.toml`` wins where it names one too.
    """
    targets = named_targets(root, added or {})
    if typed in targets:
        return _named_place(typed, targets[typed], root, ssh_config)
    place = _place(typed, typed, Table(root / FILE_NAME), where="this target")
    if not place.is_sandbox and is_bare_word(typed) and not is_ssh_alias(typed, ssh_config):
        known = ", ".join((SANDBOX, f"{SANDBOX}:NAME", *targets))
        raise ConfigError(
            f"unknown target {typed!r}: it is no name in {FILE_NAME} and no host of your ssh configuration.",
            hint=f"Known targets: {known}, or [user@]host[:port].",
        )
    return place


def named_targets(root: Path, added: Mapping[str, Mapping[str, Any]]) -> dict[str, Table]:
    """Give what is said of each target that has a name, in ``deploy.toml`` and by plugins."""
    file = toml.read(root / FILE_NAME).table("targets")
    both = Table(file.path, file.name, {**added, **file.values})
    return {name: both.table(name).only(toml.TARGET_KEYS | toml.APP_KEYS) for name in both.values}


def read_app(root: Path, place: Place) -> App:
    """Read the app as ``deploy.toml`` describes it for this place."""
    file = toml.read(root / FILE_NAME)
    table = toml.merged(file.table("app").only(toml.APP_KEYS - {"database"}), place.table, toml.APP_KEYS)
    keys = frozenset(["path", "limit"])
    database = toml.merged(file.table("database").only(keys), place.table.table("database").only(keys), keys)
    named = table.optional("name", str)
    if named is None and file.table("targets").values:
        raise ConfigError(
            f"{FILE_NAME} names targets, but no app.",
            hint='Add [app] with name = "...": it decides where the data lives, so it must not depend on a folder.',
        )
    guessed = re.sub(r"[^a-z0-9]+", "-", root.resolve().name.lower()).strip("-") or "app"
    name = guessed if named is None else named
    if not _NAME.match(name):
        table.refuse("name", f"must be lower-case letters, digits and dashes, not {name!r}")
    if name == PROXY:
        table.refuse("name", f"must not be {name!r}: on the server that is the proxy's folder")
    path = database.optional("path", str)
    return App(
        name=name,
        context=root / table.get("context", str, "."),
        port=_port(table, "port"),
        health=_absolute(table, "health", table.get("health", str, "/")),
        manage=table.get("manage", str, "manage.py"),
        platform=_platform(table),
        env=table.table("env").map(_string),
        secrets=table.table("secrets").map(_secret),
        volumes=table.table("volumes").map(_volume),
        database=None if path is None else PurePosixPath(_absolute(database, "path", path)),
        migration_limit=_limit(database),
        proxied=_proxied(table),
        drain=_seconds(table, "drain", 30),
        confirm=_seconds(table, "confirm", 600),
        maintenance=_maintenance(table, root),
        static=_static(table),
        keep_releases=_keep_releases(table),
    )


def read_target(place: Place, destination: str, *, url: str, ssh_config: Path | None = None) -> Target:
    """Join what was typed, what ``deploy.toml`` says and what is known of the address."""
    table = place.table
    publish = _port(table, "publish") or 80
    return Target(
        name=place.name,
        destination=destination,
        url=(table.optional("url", str) or _with_port(url, publish)).rstrip("/"),
        live=table.get("live", bool, default=False),
        publish=publish,
        ssh_config=ssh_config_of(place, ssh_config),
        sandbox=place.sandbox_name,
        testinfra=table.get("testinfra", str, ""),
        manage_allow=_manage_allow(table),
        on_failure=_on_failure(table),
    )


def read_export_env(root: Path) -> str | None:
    """Give the environment variable that tests read the target's host from; None where there is none."""
    table = toml.read(root / FILE_NAME).table("verify").only(toml.VERIFY_KEYS)
    name = table.optional("export_env", str)
    if name is not None and not _VARIABLE.fullmatch(name):
        table.refuse("export_env", f"must be the name of an environment variable, like TEST_SERVER, not {name!r}")
    return name


def ssh_config_of(place: Place, typed: Path | None) -> Path | None:
    """Give the ssh configuration that was typed, or else the target's own; None means the user's."""
    own = place.table.optional("ssh_config", str)
    if typed or own is None:
        return typed
    path = place.table.path.parent / own
    if not path.is_file():
        place.table.refuse("ssh_config", f"is {own!r}: there is no such file")
    return path


def _named_place(name: str, table: Table, root: Path, ssh_config: Path | None) -> Place:
    """Where no host is given, the name must be one that ssh knows."""
    place = _place(name, table.get("host", str, name), table, where=f"the host of {name!r} in {FILE_NAME}")
    if "host" not in table.values and not is_ssh_alias(name, ssh_config_of(place, ssh_config)):
        above = Table(root / FILE_NAME, "targets")
        above.refuse(name, 'names no host, and your ssh configuration knows none of that name; add host = "user@host"')
    return place


def _place(name: str, host: str, table: Table, *, where: str) -> Place:
    place = Place(name, host, table)
    if place.is_sandbox:
        if not re.fullmatch(r"sandbox(:[A-Za-z0-9-]+)?", host):
            raise ConfigError(
                f"{host!r}: a sandbox's name is made of letters, digits and dashes.", hint="Example: sandbox:staging-2"
            )
    elif not is_destination(host):
        raise ConfigError(
            f"{where} is {host!r}, which is not [user@]host[:port].", hint="Example: elspeth@staging.example.com"
        )
    return place


def _with_port(url: str, publish: int) -> str:
    bare = url.count(":") == 1 or url.endswith("]")
    return f"{url}:{publish}" if bare and publish != 80 else url  # noqa: PLR2004 - a URL leaves out port 80


def _port(table: Table, key: str) -> int | None:
    port = table.optional(key, int)
    if port is not None and not 0 < port <= _LAST_PORT:
        table.refuse(key, f"must be a port, from 1 to {_LAST_PORT}, not {port}")
    return port


def _platform(table: Table) -> str | None:
    platform = table.optional("platform", str)
    if platform is not None and not _PLATFORM.match(platform):
        table.refuse("platform", f'must be like "linux/amd64", not {platform!r}')
    return platform


def _proxied(table: Table) -> bool:
    proxy = table.get("proxy", str, "caddy")
    if proxy not in _PROXIES:
        table.refuse("proxy", f'must be "caddy", or "none" where the app is to be published itself, not {proxy!r}')
    return proxy != "none"


def _seconds(table: Table, key: str, default: int) -> int:
    seconds = table.get(key, int, default)
    if seconds < 0:
        table.refuse(key, f"must be seconds, not {seconds}")
    return seconds


def _limit(table: Table) -> int:
    seconds = table.get("limit", int, 900)
    if seconds < 1:
        table.refuse("limit", f"must be seconds, at least one, not {seconds}")
    return seconds


def _keep_releases(table: Table) -> int:
    count = table.get("keep_releases", int, 5)
    if count < 1:
        table.refuse("keep_releases", f"must be a number of releases, at least one, not {count}")
    return count


def _on_failure(table: Table) -> str | None:
    word = table.optional("on_failure", str)
    if word not in {None, ROLLBACK, KEEP}:
        table.refuse("on_failure", f'must be "{ROLLBACK}" or "{KEEP}", not {word!r}')
    return word


def _maintenance(table: Table, root: Path) -> Path | None:
    name = table.optional("maintenance", str)
    if name is not None and not (root / name).is_file():
        table.refuse("maintenance", f"is {name!r}: there is no such file")
    return None if name is None else root / name


def _static(table: Table) -> str:
    path = table.get("static", str, "/static/")
    return f"{_absolute(table, 'static', path).rstrip('/')}/" if path else ""


def _manage_allow(table: Table) -> tuple[str, ...] | None:
    commands = table.optional("manage_allow", list)
    if commands is not None and not all(isinstance(command, str) and command.split() for command in commands):
        table.refuse("manage_allow", 'must be a list of commands: ["check", "migrate --check"]')
    return None if commands is None else tuple(commands)


def _absolute(table: Table, key: str, path: str) -> str:
    if not path.startswith("/"):
        table.refuse(key, f"must begin with a slash, not be {path!r}")
    return path


def _volume(table: Table, key: str, value: Any) -> PurePosixPath:  # noqa: ANN401 - whatever TOML holds
    if not _NAME.match(key) or key in _OUR_NAMES:
        table.refuse(key, "must be lower-case letters, digits and dashes, and no name of ours: it becomes a folder")
    return PurePosixPath(_absolute(table, key, _string(table, key, value)))


def _string(table: Table, key: str, value: Any) -> str:  # noqa: ANN401 - whatever TOML holds
    if not isinstance(value, str):
        table.refuse(key, f"must be a string, not {value!r}")
    if "\n" in value:
        table.refuse(key, "must be a single line: an env file can't hold more")
    return value


def _secret(table: Table, key: str, value: Any) -> SecretSource:  # noqa: ANN401 - whatever TOML holds
    if not isinstance(value, dict) or len(value) != 1 or not set(value) <= _SECRET_KEYS:
        table.refuse(key, 'must be one of { generate = 50 }, { from_env = "NAME" } and { command = ["…"] }')
    source = table.table(key)
    for way, given in source.values.items():
        if not given or (isinstance(given, int) and given < 1):
            source.refuse(way, f"is {given!r}, which makes no secret")
    command = source.optional("command", list)
    return SecretSource(
        generate=source.optional("generate", int),
        from_env=source.optional("from_env", str),
        command=tuple(map(str, command)) if command else None,
    )
