"""Settle everything of a sandbox that needs no engine: name, address, keys, and how ssh finds it."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

from deploy_plugin.errors import ConfigError
from deploy_plugin.sandbox.state import (
    HTTP_PORT,
    SSH_PORT,
    USER,
    EngineKind,
    Record,
    Sandbox,
    check_name,
    locked,
    process,
    read,
    records,
    root,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

LOOPBACK = "127.0.0.1"
# Not the first ten, which others like as well, nor the two of systemd-resolved.
ADDRESSES = [f"127.0.0.{last}" for last in range(11, 255) if last not in (53, 54)]
KEYS = ("client_key", "host_key")


def reserve(name: str | None = None, *, bare: bool | None = None, engine: EngineKind | None = None) -> Sandbox:
    """Give the sandbox of this name, settled now if it is not yet; a throwaway one where the name is None.

    What was settled stays: asking for another flavour of a sandbox that is there is a ``ConfigError``. None takes
    it as it is, and makes a new one with the usual Docker.
    """
    if bare and engine:
        raise ConfigError(
            f"A bare sandbox has no engine: --bare and --engine={engine} exclude each other.", hint="Leave one out."
        )
    if name is not None:
        check_name(name)
    with locked(root() / ".lock"):
        there = read(name) if name else None
        if there is None:
            return _settle(name, bare=bool(bare), engine=engine)
        _refuse_other(there.sandbox(), bare=bare, engine=engine)
        return there.sandbox()


def _refuse_other(there: Sandbox, *, bare: bool | None, engine: EngineKind | None) -> None:
    if bare in (None, there.bare) and engine in (None, there.engine):
        return
    is_there = f"with the engine {there.engine}" if there.engine else "bare"
    asked = "bare" if bare else f"with the engine {engine}" if engine else "with Docker"
    raise ConfigError(
        f"The sandbox {there.name!r} is there, {is_there}, not {asked}.",
        hint=f"Take another name, or remove it first: pytest-deploy sandbox down {there.name}",
    )


def _settle(name: str | None, *, bare: bool, engine: EngineKind | None) -> Sandbox:
    owner = None if name else process(os.getpid())
    name = name or f"throwaway-{secrets.token_hex(3)}"
    address, ssh_port, http_port = free_address({record.address for record in records()})
    record = Record(name, address, ssh_port, http_port, bare, owner, engine)
    folder = root() / name
    # A process that died half-way left no record: start afresh.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for key in KEYS:
        _make_key(folder / key, comment=f"{key} of the sandbox {name}")
    (folder / "known_hosts").write_text(known_hosts(record, (folder / "host_key.pub").read_text()), encoding="utf-8")
    sandbox = record.sandbox()
    sandbox.ssh_config.write_text(ssh_config(record, sandbox), encoding="utf-8")
    record.write()
    return sandbox


def free_address(taken: Collection[str]) -> tuple[str, int, int]:
    """Find a loopback address that no other sandbox has, and its ports for ssh and http.

    22 and 80 where an address has both free; else, where something listens on all addresses, high ones.
    """
    if not _binds(ADDRESSES[0]):
        return LOOPBACK, _free_port(LOOPBACK), _free_port(LOOPBACK)
    ours = [address for address in ADDRESSES if address not in taken]
    if not ours:
        raise ConfigError("All sandbox addresses are taken.", hint="`pytest-deploy sandbox list` shows by whom.")
    for address in ours:
        if not (answers(address, SSH_PORT) or answers(address, HTTP_PORT)):
            return address, SSH_PORT, HTTP_PORT
    address = ours[0]
    ssh_port = _free_port(address) if answers(address, SSH_PORT) else SSH_PORT
    return address, ssh_port, _free_port(address) if answers(address, HTTP_PORT) else HTTP_PORT


def known_hosts(record: Record, public_key: str) -> str:
    place = record.address if record.ssh_port == SSH_PORT else f"[{record.address}]:{record.ssh_port}"
    kind, key = public_key.split()[:2]
    return f"{place} {kind} {key}\n"


def ssh_config(record: Record, sandbox: Sandbox) -> str:
    """Make ``ssh -F`` reach it by address and by alias, and believe nothing but its own host key."""
    return f"""\
Host {sandbox.alias} {record.address}
    HostName {record.address}
    Port {record.ssh_port}
    User {USER}
    IdentityFile {_quoted(sandbox.folder / "client_key")}
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile {_quoted(sandbox.folder / "known_hosts")}
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    UpdateHostKeys no
    HostKeyAlgorithms ssh-ed25519
"""


def _quoted(path: Path) -> str:
    """Keep spaces together, and ``%`` from being taken for one of ssh's tokens."""
    return '"' + str(path).replace("%", "%%") + '"'


def _make_key(path: Path, *, comment: str) -> None:
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)]
    try:
        subprocess.run(argv, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise ConfigError(
            "There is no ssh-keygen on this machine.",
            hint="Install OpenSSH's client (Debian: openssh-client).",
        ) from error
    except subprocess.CalledProcessError as error:
        raise ConfigError(f"ssh-keygen could not make {path}.", got=error.stderr) from error


def _binds(address: str) -> bool:
    """Say whether this machine has the address: Linux has all of 127.0.0.0/8, macOS only the first."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True


def answers(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        port: int = probe.getsockname()[1]
        return port
