"""Whether a release has room on the server: said before anything is sent, as far as it can be known by then."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.containers import APP, IMAGE, is_release
from deploy_plugin.errors import NotYetKnown, StepFailed
from deploy_plugin.images import missing
from deploy_plugin.server import local
from deploy_plugin.server.docker import DockerEngine
from deploy_plugin.server.engine import Store
from deploy_plugin.server.files import script
from deploy_plugin.words import size

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

# $1: where Docker keeps everything; $2: the database, if there is one.
_LOOK = r"""
df -Pk "$1" 2>/dev/null
if [ -n "$2" ] && [ -e "$2" ]; then
    df -Pk "$2" 2>/dev/null
    stat -c "size=%s" -- "$2"
fi
true
"""
_DISK = re.compile(r"\s\d+\s+\d+\s+(?P<free>\d+)\s+\d+%\s+(?P<mount>/.*)$", re.MULTILINE)
_AT_A_TIME = 2
"""Loads: see ``loads.py``."""
_NAMED = 3
"""How many old releases are named."""
_SIZE = re.compile(r"^size=(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk of the server, and what is wanted of it."""

    mount: str
    free: int
    """Bytes."""
    wanted: Mapping[str, int]
    """Bytes, by what they are for."""


def require(reference: str, server: Server, database: PurePosixPath | None) -> None:
    """``StepFailed`` where the image's missing layers, unpacked, and a copy of the database have no room.

    What can't be known is no reason to stop: a disk that full says so itself, later.
    """
    try:
        needed = _needed_for(reference, server)
        root = server.engine.root()
    except NotYetKnown:  # a plan, for a server without Docker
        return
    for disk in _disks(server, root, needed, database):
        total = sum(disk.wanted.values())
        if total > disk.free:
            parts = " and ".join(f"{size(count)} for {what}" for what, count in disk.wanted.items() if count)
            raise StepFailed(
                f"{reference} has no room on the server: {size(total)} are needed on the disk at {disk.mount}, "
                f"and {size(disk.free)} are free.",
                hint="\n".join(
                    [
                        f"That is {parts}. Make room there, then deploy again; docker system df shows what Docker has.",
                        *_old_releases(server, reference.partition(":")[0]),
                    ]
                ),
            )


def _old_releases(server: Server, app: str) -> list[str]:
    """Say how the app's own old releases are removed there, the oldest first."""
    oldest_first = reversed(server.engine.containers({APP: app}))
    commands = [
        f"  docker rm {one.name} && docker image rm {one.labels[IMAGE]}"
        for one in oldest_first
        if is_release(one) and not one.running
    ]
    few = "Old releases of the app, the oldest first (fewer stay with keep_releases in deploy.toml):"
    return [few, *commands[:_NAMED]] if commands else []


def _needed_for(reference: str, server: Server) -> int:
    """Give the bytes that loading takes: Docker keeps an archive until it is unpacked, and the next comes meanwhile.

    The containerd store keeps it for good.
    """
    with closing(DockerEngine(local.local_client())) as here:
        image = here.image(reference)
        if image is None:  # a plan builds none
            return 0
        sizes = here.layer_sizes(reference)
    store = server.engine.store()
    there = missing.find(image, server.engine, store).there
    lacking = sizes[there:] if sizes or there else [image.size]
    return sum(lacking) + (sum(lacking) if store is Store.CONTAINERD else sum(sorted(lacking)[-_AT_A_TIME:]))


def _disks(server: Server, root: PurePosixPath, needed: int, database: PurePosixPath | None) -> list[Disk]:
    said = script(server, _LOOK, root, database or "").stdout.decode(errors="replace")
    found = [(line["mount"], int(line["free"]) * 1024) for line in _DISK.finditer(said)]
    holds = _SIZE.search(said)
    wants = [("the image's missing layers, with what unpacking them takes", needed)]
    if holds:
        wants.append(("a copy of the database", int(holds[1])))
    if len(found) != len(wants):
        return []
    disks = {mount: Disk(mount, free, {}) for mount, free in found}
    for (mount, free), (what, bytes_wanted) in zip(found, wants, strict=True):
        disks[mount] = Disk(mount, free, {**disks[mount].wanted, what: bytes_wanted})
    return list(disks.values())
