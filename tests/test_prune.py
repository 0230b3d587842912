"""What a deploy that worked clears away, and what it must not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deploy_plugin import prune
from deploy_plugin.containers import Containers
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.past import Past
from deploy_plugin.proxy import caddy
from deploy_plugin.server.engine import ContainerSpec
from deploy_plugin.testing import FakeServer
from tests.site import TARGET, there


def of(release: str, *, verified: bool | None = True, gone: str = "") -> Past:
    return Past({"release": release, "verified": verified}, gone)


@pytest.mark.parametrize(
    ("newest_first", "count", "stay"),
    [
        ([of("4"), of("3"), of("2"), of("1")], 2, {"4", "3"}),
        ([of("4"), of("3"), of("2"), of("1")], 1, {"4", "3"}),
        ([of("4"), of("3", verified=False), of("2", verified=False), of("1")], 2, {"4", "3", "1"}),
        ([of("4"), of("3", gone="its image is gone"), of("2"), of("1")], 2, {"4", "2"}),
        ([of("4"), of("3", verified=None), of("2"), of("1")], 2, {"4", "3", "2"}),
        ([], 5, {"4"}),
    ],
    ids=["the newest", "where to go back to", "be it old", "gone ones don't count", "unverified", "one alone"],
)
def test_the_newest_stay_and_the_one_that_serves_and_where_a_rollback_goes_to(
    newest_first: list[Past], count: int, stay: set[str]
) -> None:
    assert prune.staying(newest_first, "4", count) == stay


def test_after_a_rollback_what_serves_stays_though_others_are_newer() -> None:
    newest_first = [of("5", verified=False), of("4"), of("3"), of("2"), of("1")]
    assert prune.staying(newest_first, "2", 2) == {"5", "4", "2", "1"}


@dataclass
class World:
    """A server with releases 1 to 5, of which the last serves."""

    server: FakeServer
    app: App

    def containers(self, release: str) -> Containers:
        folder = AppFolder(self.server.facts.home, self.app.name)
        image = f"superlists:{release * 12}"
        return Containers(self.app, TARGET, folder, (1000, 1000), Release(release, "", image), {})

    def add(self, release: str, *, record: bool = True, container: bool = True) -> None:
        """Add one that was stopped; what is wanted of it."""
        containers = self.containers(release)
        self.server.engine.add_image(containers.release.image)
        if container:
            self.server.engine.start(containers.serving)
            self.server.engine.stop(containers.serving.name)
        told = {"release": release, "image": containers.release.image, "verified": True}
        if record:
            self.server.write(containers.folder.record(release), json.dumps(told).encode(), mode=0o600)
        self.server.write(containers.folder.settings(release), b"KEY=1\n", mode=0o600)
        (self.server.home / "deploy/proxy/static/superlists" / release).mkdir(parents=True)

    def left(self, kind: str) -> set[str]:
        """The releases whose settings, records or static files are there."""
        if kind == "static":
            return {path.name for path in (self.server.home / "deploy/proxy/static/superlists").iterdir()}
        return {path.stem for path in (self.server.home / "deploy/superlists/releases").glob(f"*.{kind}")}

    @property
    def images(self) -> set[str]:
        return {name.rpartition(":")[2] for name in self.server.engine.images}


@pytest.fixture
def world(server: FakeServer, app: App) -> World:
    world = World(server, replace(app, keep_releases=2))
    server.engine.ensure_network(caddy.NETWORK)
    for release in "12345":
        world.add(release)
    server.engine.start_again("superlists-5")
    return world


def pruned(world: World, before: Iterable[str] = ()) -> set[str]:
    return {name.rpartition(":")[2] for name in prune.prune(world.server, world.app, "5", before)}


def test_containers_images_settings_and_static_files_of_old_releases_go_and_records_stay(world: World) -> None:
    assert pruned(world) == {"1" * 12, "2" * 12, "3" * 12}
    assert there(world.server) == {"superlists-4", "superlists-5"}
    assert world.images == {"4" * 12, "5" * 12}
    assert world.left("env") == world.left("static") == {"4", "5"}
    assert world.left("json") == set("12345")


def test_again_nothing_goes(world: World) -> None:
    pruned(world)
    world.server.journal.clear()
    assert pruned(world) == set()
    assert world.server.journal == []


def test_what_served_right_before_and_what_runs_stays(world: World) -> None:
    world.server.engine.start_again("superlists-2")
    assert pruned(world, before=["1"]) == {"3" * 12}
    assert there(world.server) == {f"superlists-{release}" for release in "1245"}


def test_what_a_failed_deploy_left_goes(world: World) -> None:
    world.add("6", record=False, container=False)
    assert "6" * 12 in pruned(world)
    assert "6" not in world.left("env")


def test_what_a_killed_deploy_left_goes_but_not_what_still_migrates(world: World) -> None:
    containers, engine = world.containers("5"), world.server.engine
    for spec in (containers.manage("migrate"), containers.manage("shell"), containers.candidate):
        engine.start(spec)
    Path(containers.folder.rehearsal).mkdir()
    pruned(world)
    assert there(world.server) == {"superlists-4", "superlists-5", "superlists-5-migrate"}
    assert not Path(containers.folder.rehearsal).exists()


def test_an_image_that_somebody_named_or_uses_or_that_is_another_app_s_stays(world: World) -> None:
    for name in ("superlists:latest", "superlists:1.0", "superlists-too:" + "1" * 12, "caddy:2.11"):
        world.server.engine.add_image(name)
    world.server.engine.start(ContainerSpec("by-hand", "superlists:" + "2" * 12))
    assert pruned(world) == {"1" * 12, "3" * 12}
    assert {"superlists:latest", "superlists:1.0", "caddy:2.11"} < set(world.server.engine.images)
    assert "superlists-too:" + "1" * 12 in world.server.engine.images
    assert "by-hand" in there(world.server)


def test_another_user_s_app_of_that_name_is_left_alone(world: World) -> None:
    spec = world.containers("1").serving
    labels = {**spec.labels, "deploy.folder": "/home/harriet/deploy/superlists"}
    world.server.engine.start(replace(spec, name="theirs", labels=labels))
    pruned(world)
    assert "theirs" in there(world.server)
    assert "1" * 12 in world.images
