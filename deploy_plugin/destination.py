"""``[user@]host[:port]``, and what ssh makes of it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from deploy_plugin.errors import ConfigError

_DESTINATION = re.compile(r"(?:[^@\s]+@)?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?\Z")
_LAST_PORT = 65535


def is_destination(text: str) -> bool:
    """Whether it reads as one; a host that begins with a dash would be an option of ssh's."""
    found = None if text.startswith("-") else _DESTINATION.match(text)
    return found is not None and 0 < int(found[1] or 1) <= _LAST_PORT


def split_destination(destination: str) -> tuple[str, int | None]:
    """``user@host:port`` as ssh takes it: ``(user@host, port)``. An IPv6 address stands in brackets."""
    bracketed = re.fullmatch(r"((?:[^@]+@)?)\[([^\]]+)\](?::(\d+))?", destination)
    if bracketed:
        user, host, port = bracketed.groups()
        return user + host, int(port) if port else None
    rest, _, port = destination.partition(":")
    return rest, int(port) if port else None


def host_name(destination: str, ssh_config: Path | None) -> str:
    """Resolve an alias of the ssh configuration to the host that it stands for, as it is written in a URL."""
    name = _resolved(split_destination(destination)[0], ssh_config).get("hostname", destination)
    return f"[{name}]" if ":" in name else name


def address(destination: str, ssh_config: Path | None) -> tuple[str, int]:
    """Say where ssh would connect to: host and port."""
    host, port = split_destination(destination)
    resolved = _resolved(host, ssh_config)
    return resolved.get("hostname", host), port or int(resolved.get("port", 22))


def is_bare_word(text: str) -> bool:
    return not set(text) & set("@.:[")


def is_ssh_alias(word: str, ssh_config: Path | None) -> bool:
    """Whether the ssh configuration says something of this word that it does not say of any word."""
    nobody = "no-such-host-anywhere"
    answer = {key: value.replace(word, nobody) for key, value in _resolved(word, ssh_config).items()}
    return answer != _resolved(nobody, ssh_config)


def _resolved(host: str, ssh_config: Path | None) -> dict[str, str]:
    if ssh_config and not ssh_config.is_file():
        raise ConfigError(
            f"--ssh-config={ssh_config}: there is no such file.", hint="Give the path of an ssh configuration."
        )
    own = ["-F", str(ssh_config)] if ssh_config else []
    try:
        done = subprocess.run(["ssh", *own, "-G", "--", host], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ConfigError(
            "There is no ssh command on this machine, and every server is reached with it.",
            hint="Install OpenSSH's client (Debian: openssh-client).",
        ) from error
    if done.returncode:
        raise ConfigError(f"ssh does not understand the host {host!r}.", got=done.stderr, hint="Try: ssh -G HOST")
    return dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
