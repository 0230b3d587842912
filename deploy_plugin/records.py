"""The records of the releases that served on a server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from deploy_plugin.errors import StepFailed
from deploy_plugin.models import AppFolder
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy_plugin.server.base import Server

# By name, which begins with the time.
_NAMES = 'for path in "$1"/*.json; do [ -e "$path" ] && echo "${path##*/}"; done; true'


def last(server: Server, folder: AppFolder, count: int) -> list[Mapping[str, Any]]:
    """Read the last records, the newest first; what is none is left out."""
    done = script(server, _NAMES, folder.path / "releases")
    if not done.ok:
        raise StepFailed(f"The records in {folder.path} can't be listed.", got=done.text)
    releases = [name.removesuffix(".json") for name in sorted(done.stdout.decode().splitlines(), reverse=True)]
    found = (record(server, folder, release) for release in releases[:count])
    return [one for one in found if one is not None]


def record(server: Server, folder: AppFolder, release_id: str) -> Mapping[str, Any] | None:
    content = server.read(folder.record(release_id))
    try:
        found = json.loads(content or b"null")
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
