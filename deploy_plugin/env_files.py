"""The secrets that a server's env files hold: its own ``.env``, and the settings of its releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_plugin import settings
from deploy_plugin.models import App, AppFolder
from deploy_plugin.redaction import Redactor
from deploy_plugin.secret import Secret
from deploy_plugin.server.seen import read_all

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server


def learn(redactor: Redactor, server: Server, app: App) -> dict[str, Secret]:
    """Hide all of them from now on; gives what the ``.env`` holds.

    A release's settings hold more than secrets: secret are those whose key is in the app's secrets, or in the ``.env``.
    """
    folder = AppFolder(server.facts.home, app.name)
    found = read_all(server, folder.env_file, folder.releases)
    kept = settings.parse(found.pop(folder.env_file, b""))
    redactor.learn(kept.items())
    keys = kept.keys() | app.secrets.keys()
    for content in found.values():
        redactor.learn((key, value) for key, value in settings.parse(content).items() if key in keys)
    return kept
