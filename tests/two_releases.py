"""Two releases on a server that is a folder: the old one serves, the new one is to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from deploy_plugin.containers import Containers
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.proxy import caddy, upstreams
from deploy_plugin.testing import FakeServer
from tests.site import TARGET

OLD, NEW = "superlists-old", "superlists-new"


def new_release(server: FakeServer, app: App) -> Containers:
    folder = AppFolder(PurePosixPath(server.home), app.name)
    return Containers(app, TARGET, folder, (1000, 1000), Release("new", "", "superlists:abc"), {})


def serve_old(server: FakeServer, new: Containers) -> None:
    """Let visitors go to the old release, which is as the new one in all else."""
    server.engine.add_image("superlists:abc")
    server.engine.ensure_network(caddy.NETWORK)
    server.engine.start(replace(new.serving, name=OLD))
    upstreams.tell(server, new.app.name, OLD, 8888)
