"""What an app takes of its server's disk, and what is free there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_plugin.images.layers import sizes_of
from deploy_plugin.models import App, AppFolder
from deploy_plugin.server.files import script
from deploy_plugin.words import size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy_plugin.server.base import Server

# $1: the app's folder, or, where that is not there yet, the home above it
_LOOK = """
for path in "$1" "$1/data" "$1/snapshots"; do echo "$(du -sk -- "$path" 2>/dev/null | cut -f 1)"; done
folder=$1; [ -d "$folder" ] || folder=$HOME
df -Pk -- "$folder" | tail -n 1 | tr -s ' ' | cut -d ' ' -f 4
"""
_AT_A_TIME = 8


@dataclass(frozen=True, slots=True)
class Disk:
    """Bytes; None where it is not known, or not there."""

    used: int | None = None
    """The app's folder, with all that is in it."""
    data: int | None = None
    snapshots: int | None = None
    free: int | None = None
    images: int | None = None
    """Those of the app; a layer that several have counts once."""

    def __str__(self) -> str:
        parts = [("images", self.images), ("data", self.data), ("snapshots", self.snapshots)]
        taken = [f"{word} {size(count)}" for word, count in parts if count]
        free = [f"{size(self.free)} free"] if self.free is not None else []
        return ", ".join([*taken, *free])


def look(server: Server, app: App) -> Disk:
    done = script(server, _LOOK, AppFolder(server.facts.home, app.name).path)
    lines = f"{done.stdout.decode(errors='replace')}\n\n\n\n".split("\n")[:4]
    used, data, snapshots, free = (int(line) * 1024 if line.isdecimal() else None for line in lines)
    return Disk(used, data, snapshots, free, _images(server, app) if server.facts.docker_access else None)


def _images(server: Server, app: App) -> int:
    def layers(reference: str) -> Mapping[str, int]:
        image = server.engine.image(reference)
        if image is None:
            return {}
        sizes = sizes_of(image.configuration["config"].get("Labels") or {}) or server.engine.layer_sizes(reference)
        if len(sizes) != len(image.diff_ids):
            return {reference: image.size}
        return dict(zip(image.diff_ids, sizes, strict=True))

    with ThreadPoolExecutor(_AT_A_TIME) as pool:  # some requests for each
        found = pool.map(layers, [image.reference for image in server.engine.tagged(app.name)])
    return sum({layer: count for each in found for layer, count in each.items()}.values())
