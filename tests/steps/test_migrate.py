"""Migrate: the new image says what is pending, and applies it, while the old release serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.containers import Containers
from deploy_plugin.database.migrations import Migrations
from deploy_plugin.errors import NotYetKnown, StepFailed, Unreachable
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.proxy import upstreams
from deploy_plugin.server.engine import ContainerSpec, Finished
from deploy_plugin.steps.migrate import Migrate
from deploy_plugin.steps.start_release import StartRelease
from deploy_plugin.testing import FakeServer
from tests.site import TARGET, Site, running

OLD = "superlists-old"
NEW = "superlists-20261124-031205-1a2b3c4"


@pytest.fixture(params=[True, False], ids=["proxied", "published"])
def containers(server: FakeServer, app: App, request: pytest.FixtureRequest) -> Containers:
    """The new release, where an old one serves."""
    server.engine.add_image("superlists:abc")
    release = Release("20261124-031205-1a2b3c4", "1a2b3c4d", "superlists:abc")
    folder = AppFolder(PurePosixPath(server.home), app.name)
    new = Containers(replace(app, proxied=request.param), TARGET, folder, (1000, 1000), release, {})
    Path(folder.data).mkdir(parents=True)
    server.engine.ensure_network("deploy")
    server.engine.start(replace(new.serving, name=OLD))
    if request.param:
        upstreams.tell(server, app.name, OLD, 8888)
    server.journal.clear()
    return new


def migrate(containers: Containers) -> Migrate:
    return Migrate(Migrations(containers))


proxied = pytest.mark.parametrize("containers", [True], indirect=True, ids=["proxied"])


def test_what_is_not_applied_yet_is_named(server: FakeServer, containers: Containers, site: Site) -> None:
    assert migrate(containers).check(server) == "lists.0001_initial, lists.0002_item not applied yet"
    site.pending = [f"lists.000{number}_x" for number in range(1, 6)]
    assert str(migrate(containers).check(server)).startswith("lists.0001_x, lists.0002_x, lists.0003_x and 2 more")


def test_migrations_run_in_the_new_image_while_the_old_serves(
    server: FakeServer, containers: Containers, site: Site
) -> None:
    migrate(containers).apply(server)
    assert {name for name, _ in site.commands} == {f"{NEW}-migrate"}
    assert OLD in running(server)


def test_a_release_that_serves_already_is_asked_itself(server: FakeServer, containers: Containers, site: Site) -> None:
    server.engine.remove(OLD)
    server.engine.start(containers.serving)
    migrate(containers).check(server)
    assert site.commands[-1][0] == NEW


def test_a_migration_that_fails_shows_the_end_of_its_output(
    server: FakeServer, containers: Containers, site: Site
) -> None:
    site.migrate_fails = "\n".join(f"line {number}" for number in range(100)) + "\nUNIQUE constraint failed: lists_item"
    with pytest.raises(StepFailed, match=r"manage\.py migrate .* exit code 1") as caught:
        migrate(containers).apply(server)
    assert caught.value.got.endswith("UNIQUE constraint failed: lists_item")
    assert "line 50\n" not in caught.value.got
    assert running(server) == {OLD}


def test_without_its_image_a_plan_can_not_say_what_it_migrates(server: FakeServer, containers: Containers) -> None:
    server.engine.images.clear()
    with pytest.raises(NotYetKnown, match="superlists:abc, which is not on the server"):
        migrate(containers).check(server)


def test_without_a_place_for_the_database_it_makes_none(server: FakeServer, containers: Containers) -> None:
    Path(containers.folder.data).rmdir()
    with pytest.raises(NotYetKnown, match="the database's place is not there"):
        migrate(containers).check(server)


# Behind a proxy the release runs already


@proxied
def test_the_release_is_asked_itself_and_starts_anew_on_its_schema(
    server: FakeServer, containers: Containers, site: Site
) -> None:
    StartRelease(containers).apply(server)
    server.journal.clear()
    step = migrate(containers)
    assert step.check(server)
    assert site.commands[-1][0] == NEW
    step.apply(server)
    assert site.commands[-1][0] == f"{NEW}-migrate"
    assert server.journal == [f"remove {NEW}", f"start {NEW}"]
    assert running(server) == {OLD, NEW}


@proxied
def test_one_that_ends_without_its_tables_is_asked_in_a_container_of_its_own(
    server: FakeServer, containers: Containers, site: Site
) -> None:
    StartRelease(containers).apply(server)

    def ends(spec: ContainerSpec, command: Sequence[str]) -> Finished:
        if spec.name == NEW:
            server.engine.stop(NEW)
            return Finished(137, "", "")
        return site.manage(spec, command)

    server.engine.command = ends
    assert migrate(containers).check(server) == "lists.0001_initial, lists.0002_item not applied yet"
    assert site.commands[-1][0] == f"{NEW}-migrate"


@proxied
def test_one_that_docker_lets_nobody_into_is_asked_in_a_container_of_its_own(
    server: FakeServer, containers: Containers, site: Site
) -> None:
    StartRelease(containers).apply(server)
    for _ in range(2):  # which are applied is asked at the same time
        server.engine.fail(f"exec {NEW}", StepFailed("Docker could not run a command.", got="it is not running"))
    assert migrate(containers).check(server)
    assert site.commands[-1][0] == f"{NEW}-migrate"


@proxied
def test_one_that_ends_but_counts_as_running_for_a_moment_is_no_answer(
    server: FakeServer, containers: Containers, site: Site
) -> None:
    StartRelease(containers).apply(server)
    server.engine.command = lambda spec, command: (
        Finished(137, "", "") if spec.name == NEW else site.manage(spec, command)
    )
    assert migrate(containers).check(server)
    assert site.commands[-1][0] == f"{NEW}-migrate"


@proxied
def test_a_connection_that_breaks_is_no_reason_to_ask_elsewhere(server: FakeServer, containers: Containers) -> None:
    StartRelease(containers).apply(server)
    for _ in range(2):  # which are applied is asked at the same time
        server.engine.fail(f"exec {NEW}", Unreachable("It broke."))
    with pytest.raises(Unreachable):
        migrate(containers).check(server)


@proxied
def test_a_release_that_serves_is_not_stopped_for_its_migrations(
    server: FakeServer, containers: Containers, site: Site
) -> None:
    StartRelease(containers).apply(server)
    upstreams.tell(server, containers.app.name, NEW, 8888)
    server.journal.clear()
    migrate(containers).apply(server)
    assert site.pending == []
    assert server.journal == []
    assert site.commands[-1][0] == f"{NEW}-migrate"
