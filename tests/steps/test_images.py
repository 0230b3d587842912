"""The steps that build and ship."""

from __future__ import annotations

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.images import platforms
from deploy_plugin.images.build import context_digest, reference_of
from deploy_plugin.images.early import EarlyBuild
from deploy_plugin.models import App
from deploy_plugin.proxy import caddy
from deploy_plugin.server.engine import ContainerSpec
from deploy_plugin.steps.build_image import BuildImage
from deploy_plugin.steps.ship_image import ShipImage
from deploy_plugin.steps.ship_proxy import ShipProxy
from deploy_plugin.testing import FakeServer
from tests.machine import PLATFORM, Machine

SHIP = ShipImage("superlists:abc")
SHIP_PROXY = ShipProxy(8080, "linux/arm64")


@pytest.fixture
def build(app: App) -> BuildImage:
    return BuildImage("superlists:abc", app.context, "linux/arm64")


def test_it_is_built_for_the_platform_and_then_shipped(server: FakeServer, machine: Machine, build: BuildImage) -> None:
    build.apply(server)
    assert machine.built == [("superlists:abc", build.context, "linux/arm64")]
    assert server.engine.images == {}
    SHIP.apply(server)
    assert server.engine.images.keys() == {"superlists:abc"}
    assert server.bytes_sent > 0


@pytest.mark.parametrize("deployed", [True, False])
def test_the_topmost_layer_is_built_once_more_only_where_others_of_the_app_s_may_be_there(
    server: FakeServer, machine: Machine, app: App, *, deployed: bool
) -> None:
    machine.says = "sha256:top"
    (app.context / "Dockerfile").write_text("FROM scratch\nCOPY . /app/\n")
    reference = reference_of(app.name, context_digest(app.context, PLATFORM))
    server.engine.add_image(f"{app.name}:before" if deployed else "another:before")
    with EarlyBuild(app) as early:
        build = BuildImage(reference, app.context, PLATFORM, early)
        assert build.check(server)
        build.apply(server)
        assert (early.take_top() is not None) is deployed
    assert machine.built == [(reference, app.context, PLATFORM)]


@pytest.mark.usefixtures("machine")
def test_an_image_that_the_server_has_is_not_built_again_here(server: FakeServer, build: BuildImage) -> None:
    server.engine.add_image("superlists:abc")
    assert build.check(server) is None
    assert SHIP.check(server) is None


def test_an_image_that_is_only_here_is_shipped_and_not_built(
    server: FakeServer, machine: Machine, build: BuildImage
) -> None:
    machine.engine.add_image("superlists:abc")
    assert build.check(server) is None
    assert SHIP.check(server) == "the server has no superlists:abc"


def test_an_image_of_other_content_is_no_substitute(server: FakeServer, machine: Machine, build: BuildImage) -> None:
    for engine in (machine.engine, server.engine):
        engine.add_image("superlists:old")
    assert build.check(server) == "there is no superlists:abc yet"


def test_what_can_not_be_built_here_is_said_by_a_plan_too_and_asked_only_for_what_is_missing(
    server: FakeServer, machine: Machine, build: BuildImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*asked: str) -> None:
        raise StepFailed(" ".join(asked))

    monkeypatch.setattr(platforms, "require_buildable", refuse)
    with pytest.raises(StepFailed, match="linux/arm64 linux/amd64 FROM scratch"):
        build.check(server)
    machine.engine.add_image("superlists:abc")
    assert build.check(server) is None


def test_an_image_that_was_lost_on_the_way_is_a_sentence(
    server: FakeServer, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.engine.add_image("superlists:abc")
    monkeypatch.setattr(server.engine, "load", list)
    with pytest.raises(StepFailed, match="was shipped, but the server does not have it"):
        SHIP.apply(server)


def test_the_proxy_s_image_is_pulled_for_the_server_s_platform_and_shipped(
    server: FakeServer, machine: Machine
) -> None:
    assert SHIP_PROXY.check(server) == f"the server has no {caddy.IMAGE}"
    SHIP_PROXY.apply(server)
    assert machine.pulled == [(caddy.IMAGE, "linux/arm64")]
    assert server.engine.images.keys() == {caddy.IMAGE}
    assert SHIP_PROXY.check(server) is None


@pytest.mark.usefixtures("machine")
def test_a_proxy_that_is_there_needs_no_image(server: FakeServer) -> None:
    server.engine.add_image("caddy:old", ports=(8080,))
    server.engine.start(ContainerSpec("proxy-8080", "caddy:old"))
    assert SHIP_PROXY.check(server) is None
