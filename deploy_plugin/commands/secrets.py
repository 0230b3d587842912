"""``pytest-deploy secrets``: which the app has, and new values for them. Values come in, and never go out."""

from __future__ import annotations

import getpass
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from deploy_plugin import env_files, settings
from deploy_plugin.commands.found import changing, folder_of, is_live
from deploy_plugin.commands.output import columns, say, say_json
from deploy_plugin.commands.project import connected
from deploy_plugin.errors import ConfigError
from deploy_plugin.models import App, SecretSource
from deploy_plugin.secret import Secret
from deploy_plugin.steps.env_file import MODE

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest

    from deploy_plugin.server.base import Server
    from deploy_plugin.session import Session

BY_HAND = "set by hand"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def names(options: Namespace, config: pytest.Config) -> int:
    """List what deploy.toml names and what the server keeps."""
    with connected(config, options.target) as (session, server):
        kept, declared = _kept(server, session), session.app.secrets
        rows = [
            {"name": name, "source": _source(declared.get(name)), "kept": name in kept}
            for name in sorted({*kept, *declared})
        ]
    if options.json:
        say_json(rows)
    elif rows:
        say(columns([[str(row["name"]), str(row["source"]), "" if row["kept"] else "not there yet"] for row in rows]))
    else:
        say(f"{session.app.name} has no secrets.")
    return 0


def set_one(options: Namespace, config: pytest.Config) -> int:
    """Keep the value that comes on stdin."""
    with connected(config, options.target) as (session, server):
        _require_settable(session.app, options.name)
        value = _value_from_stdin(options.name)
        with changing(server, session, "secrets set") as there:
            _keep(there, session, {options.name: value})
    return 0


def rotate(options: Namespace, config: pytest.Config) -> int:
    """Make new random values of those that are generated; if one of them is not, none is changed."""
    with connected(config, options.target) as (session, server):
        new = {name: Secret.generate(_length(session.app, name)) for name in options.names}
        with changing(server, session, "secrets rotate") as there:
            _keep(there, session, new)
    return 0


def _keep(server: Server, session: Session, new: Mapping[str, Secret]) -> None:
    session.redactor.learn(new.items())
    kept, target = _kept(server, session), session.target
    name_list, where = ", ".join(new), f"on {target.name}{' (LIVE)' if is_live(server, session) else ''}"
    if all(kept.get(name) == value for name, value in new.items()):
        say(f"{name_list} has that value already {where}; nothing was changed.")
        return
    server.write(folder_of(server, session).env_file, settings.render({**kept, **new}), mode=MODE)
    say(f"{name_list}: a new value is kept {where}.")
    if unknown := [name for name in new if name not in session.app.secrets]:
        say(f"deploy.toml does not name {', '.join(unknown)}; the app gets it all the same.")
    say(f"What serves has not got it yet. The next deploy makes a new release of it: pytest --deploy-to={target.name}")


def _kept(server: Server, session: Session) -> dict[str, Secret]:
    return env_files.learn(session.redactor, server, session.app)


def _source(source: SecretSource | None) -> str:
    if source is None:
        return BY_HAND
    if source.from_env:
        return f"from_env {source.from_env}"
    return f"command {source.command[0]}" if source.command else "generate"


def _require_settable(app: App, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} can't be the name of an environment variable.", hint="Example: EMAIL_PASSWORD")
    source = app.secrets.get(name)
    if source and source.generate is None:
        raise ConfigError(
            f"{name} comes from here ({_source(source)} in deploy.toml): the next deploy would undo the change.",
            hint="Change it where it comes from, and deploy.",
        )


def _length(app: App, name: str) -> int:
    source = app.secrets.get(name)
    if source and source.generate:
        return source.generate
    generated = ", ".join(sorted(key for key, one in app.secrets.items() if one.generate)) or "none"
    raise ConfigError(
        f"{name} is not generated, so it can't be rotated ({_source(source) if source else 'not in deploy.toml'}).",
        hint=f"Generated ones: {generated}. To give another a value: pytest-deploy secrets TARGET set {name}",
    )


def _value_from_stdin(name: str) -> Secret:
    value = _typed(name) if sys.stdin.isatty() else _piped(name)
    if not value:
        raise ConfigError(f"There was no value for {name} on stdin; nothing was changed.")
    if value.splitlines() != [value] or "\0" in value:
        raise ConfigError(
            f"The value for {name} has more than one line, which an env file can't hold.", hint="Encode it."
        )
    return Secret(value)


def _typed(name: str) -> str:
    try:
        return getpass.getpass(f"{name}: ")
    except EOFError:
        return ""


def _piped(name: str) -> str:
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n")
    except UnicodeDecodeError:
        raise ConfigError(f"The value for {name} is not text in UTF-8.", hint="Encode it.") from None
