"""The app's settings on one server: what ``deploy.toml`` says, and the secrets that the server keeps."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from deploy_plugin.errors import ConfigError
from deploy_plugin.models import App, SecretSource, Target
from deploy_plugin.secret import Secret

Settings = Mapping[str, str | Secret]


def secrets_from_here(app: App) -> dict[str, Secret]:
    """Fetch the secrets that this machine holds; one that is missing stops the run before anything starts."""
    return {key: _fetch(key, source) for key, source in app.secrets.items() if source.generate is None}


def at_hand(app: App) -> bool:
    """Whether those that this machine holds are there without a command, which may ask its user for something."""
    from_here = {key: source for key, source in app.secrets.items() if source.generate is None}
    try:
        return all(source.from_env and _fetch(key, source) for key, source in from_here.items())
    except ConfigError:
        return False


def server_secrets(app: App, kept: Mapping[str, Secret], here: Mapping[str, Secret]) -> dict[str, Secret]:
    """Join what the server keeps with what comes from here; generate what is nowhere yet, and only that."""
    missing = (key for key in app.secrets if key not in kept and key not in here)
    generated = {key: Secret.generate(app.secrets[key].generate or 0) for key in missing}
    return {**kept, **here, **generated}


def release_settings(app: App, target: Target, release_id: str, secrets: Mapping[str, Secret]) -> Settings:
    """Fill in a release's settings; a secret wins over a setting of the same name."""
    filled = {"host": target.host, "url": target.url, "release": release_id}
    return {**{key: _fill(value, filled) for key, value in app.env.items()}, **secrets}


def render(settings: Settings) -> bytes:
    """Write settings as an env file: a line each, sorted, as Docker's ``--env-file`` takes them."""
    lines = (f"{key}={_shown(value)}\n" for key, value in sorted(settings.items()))
    return "".join(lines).encode()


def parse(env_file: bytes) -> dict[str, Secret]:
    """Read an env file. Everything in it may be a secret, so everything is one."""
    # Not splitlines(), which breaks at more than an env file does.
    lines = (line.partition("=") for line in env_file.decode().split("\n") if line and not line.startswith("#"))
    return {key: Secret(value) for key, separator, value in lines if separator}


def in_environment(app: App) -> list[tuple[str, Secret]]:
    """Give the secrets that this machine's environment holds, whether or not they will be needed."""
    variables = ((key, source.from_env) for key, source in app.secrets.items() if source.from_env)
    return [(key, Secret(os.environ[variable])) for key, variable in variables if variable in os.environ]


def _fetch(key: str, source: SecretSource) -> Secret:
    value = _from_env(key, source.from_env) if source.from_env else _from_command(key, source.command or ())
    if len(value.splitlines()) > 1:
        raise ConfigError(f"The secret {key} has more than one line, which an env file can't hold.", hint="Encode it.")
    if not _is_text(value):
        raise ConfigError(f"The secret {key} is not text, which an env file can't hold.", hint="Encode it.")
    return Secret(value)


def _from_env(key: str, variable: str) -> str:
    if not os.environ.get(variable):
        found = (
            f"the environment's {variable} is empty" if variable in os.environ else f"the environment has no {variable}"
        )
        raise ConfigError(f"The secret {key} is missing: {found}.", hint=f"export {variable}=…")
    return os.environ[variable]


def _from_command(key: str, command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        raise ConfigError(f"The secret {key} is missing: {command[0]!r} can't be run.", got=str(error)) from error
    if done.returncode or not done.stdout.strip():
        said = done.stderr.decode(errors="replace")
        raise ConfigError(f"The secret {key} is missing: {command[0]!r} gave none.", got=said)
    return done.stdout.decode(errors="surrogateescape").rstrip("\n")


def _is_text(value: str) -> bool:
    """Whether it came as UTF-8, without a NUL: Python stands surrogates in for what did not."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _fill(value: str, filled: Mapping[str, str]) -> str:
    for name, text in filled.items():
        value = value.replace(f"{{{name}}}", text)
    return value


def _shown(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
