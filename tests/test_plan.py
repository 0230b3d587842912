from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from deploy_plugin import plan
from deploy_plugin.containers import Containers
from deploy_plugin.database.migrations import Migrations
from deploy_plugin.models import App, AppFolder, Release, Target
from deploy_plugin.steps.base import Step
from tests.site import TARGET


def steps(app: App, *, begins: bool = False) -> list[Step]:
    release = Release("20261124-031205-1a2b3c4", "", "superlists:abc")
    containers = Containers(app, TARGET, AppFolder(PurePosixPath("/home/e"), app.name), (1, 1), release, {})
    return plan.release_steps(Migrations(containers, begins=begins), {}, "linux/amd64")


def titles(app: App) -> list[str]:
    return [step.title for step in steps(app)]


def preparing(app: App, target: Target) -> list[Step]:
    return [*plan.recall_steps(app, target), *plan.prepare_steps(app, target)]


def test_the_server_is_known_and_docker_is_there_before_a_release_is_chosen(app: App) -> None:
    order = ["Gather facts", "Recall the target", "Install Docker", "Preflight"]
    assert [step.title for step in preparing(app, TARGET)] == order


def test_live_needs_its_database_before_even_docker_is_installed(app: App) -> None:
    live = replace(TARGET, live=True)
    titles = [step.title for step in preparing(app, live)]
    assert titles[2:4] == ["Require the database", "Install Docker"]
    for none_needed in (preparing(app, replace(live, first=True)), preparing(app, TARGET)):
        assert "Require the database" not in [step.title for step in none_needed]
    assert len(preparing(replace(app, database=None), live)) == len(titles) - 1


def test_nothing_that_visitors_see_changes_before_the_release_was_well(app: App) -> None:
    assert titles(replace(app, volumes={"media": PurePosixPath("/media")})) == [
        "Build image",
        "Ship image",
        "Ship the proxy",
        "Remember the target",
        "Ensure env file",
        "Ensure database",
        "Ensure volumes",
        "Keep the release's settings",
        "Start the release",
        "Rehearse the migration",
        "Snapshot the database",
        "Migrate",
        "Await health",
        "Keep static files",
        "Ensure proxy",
        "Switch",
        "Keep the record",
    ]


def test_the_first_release_of_all_starts_when_it_has_its_schema(app: App) -> None:
    first = [step.title for step in steps(app, begins=True)]
    assert sorted(first) == sorted(titles(app))
    assert first[first.index("Migrate") + 1] == "Start the release"


def test_without_a_proxy_it_is_tried_in_a_container_of_its_own(app: App) -> None:
    assert titles(replace(app, volumes={"media": PurePosixPath("/media")}, proxied=False)) == [
        "Build image",
        "Ship image",
        "Remember the target",
        "Ensure env file",
        "Ensure database",
        "Ensure volumes",
        "Keep the release's settings",
        "Rehearse the migration",
        "Snapshot the database",
        "Migrate",
        "Start the candidate",
        "Publish",
        "Keep the record",
    ]


def test_an_app_without_volumes_or_database_has_no_steps_for_them(app: App) -> None:
    assert {"Ensure database", "Ensure volumes"}.isdisjoint(titles(replace(app, database=None)))


def test_the_empty_database_is_made_where_the_container_will_look_for_it(app: App) -> None:
    (database,) = (step for step in steps(app) if step.title == "Ensure database")
    assert "/home/e/deploy/superlists/data/db.sqlite3" in repr(database)
