"""Folders of the app that outlive containers, like the database's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

_CHECK = 'for folder do [ -d "$folder" ] || echo "$folder"; done'
_APPLY = r"""
set -e
umask 077
owner=$1
shift
mkdir -p -- "$@"
if [ "$(id -u)" = 0 ]; then chown -- "$owner" "$@"; fi
"""


@dataclass(frozen=True, slots=True)
class EnsureVolumes:
    """Make the folders that are mounted; Docker would make them as root's."""

    folders: Sequence[PurePosixPath]
    owner: tuple[int, int]
    title: str = "Ensure volumes"

    def check(self, server: Server) -> str | None:
        missing = script(server, _CHECK, *self.folders).stdout.decode().split("\n")
        return f"{', '.join(filter(None, missing))} is missing" if any(missing) else None

    def apply(self, server: Server) -> None:
        done = script(server, _APPLY, ":".join(map(str, self.owner)), *self.folders)
        if not done.ok:
            hint = hint_for(done.text, "Put it right on the server, as root.")
            raise StepFailed("The app's volumes can't be made.", got=done.text, hint=hint)
