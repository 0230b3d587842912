"""What stands in the way is found before anything is changed, and named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.containers import Containers
from deploy_plugin.errors import StepFailed
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.proxy import caddy
from deploy_plugin.proxy.sites import Site, with_site
from deploy_plugin.proxy.upstreams import ProxyFolder
from deploy_plugin.server.engine import ContainerSpec
from deploy_plugin.steps.preflight import Preflight
from deploy_plugin.testing import FakeServer
from tests.site import TARGET

OTHER_HOME = PurePosixPath("/home/other")


def spec(server: FakeServer, app: App, home: PurePosixPath | None = None) -> ContainerSpec:
    """How the app's serving container is run, for the user with this home."""
    release = Release("20261124-031205-1a2b3c4", "1a2b3c4d", "superlists:abc")
    server.engine.add_image(release.image)
    folder = AppFolder(home or server.facts.home, app.name)
    return Containers(replace(app, proxied=False), TARGET, folder, (1, 1), release, {}).serving


def proxy(server: FakeServer, home: PurePosixPath | None = None) -> ContainerSpec:
    """How the proxy is run, for the user with this home."""
    server.engine.add_image(caddy.IMAGE)
    server.engine.ensure_network(caddy.NETWORK)
    folder = ProxyFolder(home or server.facts.home).path
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder / "8080.json").write_bytes(with_site(None, Site("superlists", "staging.example.com", "")))
    labels = {"deploy.role": "proxy", "deploy.folder": str(folder)}
    return caddy.spec(8080, folder=folder, user=(1, 1), labels=labels)


def stopped(server: FakeServer, step: Preflight) -> str:
    before = list(server.journal)
    with pytest.raises(StepFailed) as caught:
        step.check(server)
    assert server.journal == before
    return str(caught.value)


def test_nothing_stands_in_the_way_of_a_first_deploy_and_of_a_second(server: FakeServer, app: App) -> None:
    assert Preflight(app, TARGET).check(server) is None
    server.engine.start(spec(server, app))
    assert Preflight(app, TARGET).check(server) is None


def test_where_the_app_serves_already_it_costs_one_request(
    server: FakeServer, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.engine.start(spec(server, app))
    monkeypatch.setattr(server, "run", lambda *_a, **_k: pytest.fail("it asked the server, too"))
    Preflight(app, TARGET).check(server)


def test_docker_that_can_not_be_asked_yet_is_not_asked(server: FakeServer, app: App) -> None:
    server.facts = replace(server.facts, docker_access=False)
    server.engine.fail("*", StepFailed("no Docker"))
    assert Preflight(app, TARGET).check(server) is None


def test_a_container_of_the_app_in_another_home_stops_and_is_named(server: FakeServer, app: App) -> None:
    theirs = spec(server, app, OTHER_HOME)
    server.engine.start(theirs)
    said = stopped(server, Preflight(app, replace(TARGET, publish=81)))
    assert f"the container {theirs.name} uses /home/other/deploy/superlists" in said
    assert "another name" in said


def test_one_without_that_label_is_known_by_its_mounts(server: FakeServer, app: App) -> None:
    theirs = spec(server, app, OTHER_HOME)
    labels = {key: value for key, value in theirs.labels.items() if key != "deploy.folder"}
    server.engine.start(replace(theirs, labels=labels))
    assert "/home/other/deploy/superlists/data" in stopped(server, Preflight(app, TARGET))
    ours = spec(server, app)
    server.engine.remove(theirs.name)
    server.engine.start(replace(ours, labels=labels))
    assert Preflight(app, TARGET).check(server) is None


def test_another_container_on_the_port_stops_and_is_named(server: FakeServer, app: App) -> None:
    squatter = replace(spec(server, app), name="squatter", labels={}, mounts={})
    server.engine.start(squatter)
    said = stopped(server, Preflight(app, TARGET))
    assert "Port 8080 of the server is held by the container squatter." in said
    assert "docker stop squatter" in said
    server.engine.stop("squatter")
    assert Preflight(app, TARGET).check(server) is None


def test_a_process_on_the_port_stops_and_is_named_with_its_user(server: FakeServer, app: App) -> None:
    server.install("awk", "echo 0")
    server.install("ss", "echo nginx")
    server.install("sed", "echo process=nginx")
    said = stopped(server, Preflight(app, TARGET))
    assert "Port 8080 of the server is held by nginx of the user root." in said
    server.install("sed", "true")
    assert "held by a process of the user root" in stopped(server, Preflight(app, TARGET))


def test_our_own_container_on_the_port_is_no_stranger(server: FakeServer, app: App) -> None:
    server.install("awk", "echo 0")
    server.engine.start(spec(server, app))
    assert Preflight(app, TARGET).check(server) is None


# A proxy on the port


def test_the_proxy_of_this_user_is_ours_where_the_app_is_to_be_behind_it(server: FakeServer, app: App) -> None:
    server.engine.start(proxy(server))
    for ours in (app, replace(app, name="other")):
        assert Preflight(ours, TARGET).check(server) is None


def test_where_the_app_is_to_be_published_itself_the_proxy_is_in_its_way(server: FakeServer, app: App) -> None:
    server.engine.start(proxy(server))
    said = stopped(server, Preflight(replace(app, proxied=False), TARGET))
    assert "Port 8080 of the server is held by the container proxy-8080." in said


def test_the_proxy_of_another_user_is_in_the_way(server: FakeServer, app: App, tmp_path: Path) -> None:
    server.engine.start(proxy(server, PurePosixPath(tmp_path / "other")))
    assert "is held by the container proxy-8080" in stopped(server, Preflight(app, TARGET))
