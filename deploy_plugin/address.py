"""Whether two destinations are the same server, whatever they are called."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deploy_plugin import config, sandbox
from deploy_plugin.config import Place
from deploy_plugin.destination import address
from deploy_plugin.models import Target
from deploy_plugin.toml import Table


@dataclass(frozen=True)
class Address:
    """Where ssh would connect to."""

    host: str
    port: int

    @cached_property
    def ips(self) -> frozenset[str]:
        """What its name stands for; nothing where nobody knows it."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return frozenset()
        return frozenset(str(address[0]) for *_, address in found)

    def is_same_as(self, other: Address) -> bool:
        if self.port != other.port:
            return False
        return self.host.lower() == other.host.lower() or bool(self.ips & other.ips)


def live_target_at(target: Target, named: Mapping[str, Table]) -> str | None:
    """Name the live target that is the same server; None where none is."""
    live = {name: table for name, table in named.items() if table.get("live", bool, default=False)}
    if not live:
        return None
    here = _address(target.destination, target.ssh_config)
    for name, table in live.items():
        place = Place(name, table.get("host", str, name), table)
        if any(here.is_same_as(there) for there in _addresses(place, target.ssh_config)):
            return name
    return None


def _addresses(place: Place, typed: Path | None) -> Iterator[Address]:
    """Give every address that a named target may have: by its own ssh configuration, the run's and the user's."""
    if place.is_sandbox:
        box = sandbox.find(place.sandbox_name) if place.sandbox_name else None
        if box:
            yield _address(box.destination, box.ssh_config)
        return
    own = config.ssh_config_of(place, None)
    for ssh_config in {own} if own else {typed, None}:
        yield _address(place.host, ssh_config)


def _address(destination: str, ssh_config: Path | None) -> Address:
    return Address(*address(destination, ssh_config))
