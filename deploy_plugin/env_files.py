"""The secrets that a server's env files hold: its own ``.env``, and the settings of its releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_plugin import settings
from deploy_plugin.errors import StepFailed
from deploy_plugin.models import App, AppFolder
from deploy_plugin.redaction import Redactor
from deploy_plugin.secret import Secret
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

_RELEASES = 'for path in "$1"/*.env; do [ ! -e "$path" ] || cat -- "$path" || exit; done'


def learn(redactor: Redactor, server: Server, app: App) -> dict[str, Secret]:
    """Hide all of them from now on; gives what the ``.env`` holds.

    A release's settings hold more than secrets: secret are those whose key is in the app's secrets, or in the ``.env``.
    """
    folder = AppFolder(server.facts.home, app.name)
    kept = settings.parse(server.read(folder.env_file) or b"")
    redactor.learn(kept.items())
    keys = kept.keys() | app.secrets.keys()
    redactor.learn((key, value) for key, value in _in_releases(server, folder) if key in keys)
    return kept


def _in_releases(server: Server, folder: AppFolder) -> list[tuple[str, Secret]]:
    done = script(server, _RELEASES, folder.path / "releases")
    if not done.ok:
        raise StepFailed(f"The settings in {folder.path} can't be read on the server.", got=done.text)
    return settings.pairs(done.stdout)
