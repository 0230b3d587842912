"""What serves already, as a step begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin import health
from deploy_plugin.containers import Containers
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.proxy import caddy, upstreams
from deploy_plugin.steps import switch
from deploy_plugin.testing import FakeServer
from tests.site import TARGET, Site
from tests.steps.migrating import OLD, Deploy
from tests.steps.traffic import Traffic


@pytest.fixture
def traffic(server: FakeServer, site: Site, app: App, monkeypatch: pytest.MonkeyPatch) -> Traffic:
    """Nothing serves yet; the images of the app and of the proxy are there."""
    monkeypatch.setattr(health, "_PAUSE", 0.01)
    monkeypatch.setattr(switch, "_PATIENCE", 0.05)
    server.engine.add_image("superlists:abc")
    server.engine.add_image(caddy.IMAGE, ports=(80, 443))
    return Traffic(server, site, app)


@pytest.fixture
def behind(traffic: Traffic) -> Traffic:
    """The old release serves behind the proxy."""
    traffic.run("1")
    traffic.server.journal.clear()
    return traffic


@pytest.fixture(params=[True, False], ids=["proxied", "published"])
def deploy(server: FakeServer, app: App, site: Site, request: pytest.FixtureRequest) -> Deploy:
    server.engine.add_image("superlists:abc")
    release = Release("20261124-031205-1a2b3c4", "1a2b3c4d", "superlists:abc")
    folder = AppFolder(PurePosixPath(server.home), app.name)
    app = replace(app, proxied=request.param, volumes={"media": PurePosixPath("/media")})
    new = Containers(app, TARGET, folder, (1000, 1000), release, {"COLOUR": "new"})
    old = replace(new, release=replace(release, id="old"), settings={"COLOUR": "old"})
    for path in new.mounts:
        Path(path).mkdir(parents=True)
    Path(folder.data / "db.sqlite3").write_bytes(b"rows")
    server.engine.ensure_network("deploy")
    server.engine.start(old.serving)
    if request.param:
        upstreams.tell(server, app.name, OLD, 8888)
        server.engine.start(new.serving)
    return Deploy(server, site, new, old)
