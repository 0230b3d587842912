from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from deploy_plugin import containers
from deploy_plugin.containers import Containers
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.proxy import upstreams
from deploy_plugin.secret import Secret
from deploy_plugin.testing import FakeServer
from tests.site import TARGET

RELEASE = Release("20261124-031205-1a2b3c4", "1a2b3c4d", "superlists:abc")


@pytest.fixture
def made(app: App) -> Containers:
    """An app that is published itself."""
    folder = AppFolder(PurePosixPath("/home/elspeth"), app.name)
    app = replace(app, volumes={"media": PurePosixPath("/media")}, proxied=False)
    return Containers(app, TARGET, folder, (1000, 1001), RELEASE, {"KEY": Secret("x")})


@pytest.fixture
def behind(made: Containers) -> Containers:
    """The same, behind a proxy."""
    return replace(made, app=replace(made.app, proxied=True))


def test_the_serving_container_is_published_and_stays(made: Containers) -> None:
    spec = made.serving
    assert (spec.name, spec.publish, spec.port, spec.stays) == (f"superlists-{RELEASE.id}", 8080, 8888, True)
    assert spec.network == ""


def test_behind_a_proxy_it_is_on_the_proxy_s_network_and_does_not_stay_yet(behind: Containers) -> None:
    spec = behind.serving
    assert (spec.name, spec.publish, spec.port, spec.stays) == (f"superlists-{RELEASE.id}", None, 8888, False)
    assert spec.network == "deploy"


def test_the_candidate_is_the_same_where_no_visitor_reaches_it(made: Containers) -> None:
    candidate = made.candidate
    assert (candidate.publish, candidate.stays) == (None, False)
    assert candidate.name != made.serving.name
    for same in ("image", "env", "mounts", "user", "port", "command"):
        assert getattr(candidate, same) == getattr(made.serving, same)


def test_a_container_runs_as_the_apps_user_with_the_databases_folder_mounted(made: Containers) -> None:
    spec = made.serving
    home = PurePosixPath("/home/elspeth/deploy/superlists")
    assert spec.user == "1000:1001"
    assert spec.mounts == {home / "data": PurePosixPath("/data"), home / "media": PurePosixPath("/media")}


def test_an_app_without_a_database_mounts_none(made: Containers) -> None:
    bare = replace(made, app=replace(made.app, database=None, volumes={}))
    assert bare.serving.mounts == {}


def test_labels_say_app_role_release_and_commit(made: Containers, behind: Containers) -> None:
    labels = made.serving.labels
    assert labels["deploy.app"] == "superlists"
    assert labels["deploy.release"] == RELEASE.id
    assert labels["deploy.commit"] == RELEASE.commit
    specs = (made.serving, behind.serving, made.candidate, made.manage("check"))
    assert [spec.labels["deploy.role"] for spec in specs] == ["serving", "proxied", "candidate", "one-off"]


def test_a_management_command_runs_in_a_container_of_its_own(made: Containers) -> None:
    spec = made.manage("migrate", "--no-input")
    assert spec.command == ("python", "manage.py", "migrate", "--no-input")
    assert spec.name.endswith("-migrate")
    assert spec.publish is None


def test_no_secret_is_in_a_label_or_a_name(made: Containers) -> None:
    made = replace(made, settings={"KEY": Secret("s3ntinel")})
    assert "s3ntinel" not in repr(made.serving) + repr(made.candidate)


def test_the_serving_container_is_found_among_others(server: FakeServer, made: Containers) -> None:
    server.engine.add_image("superlists:abc")
    stopped = replace(made.serving, name="stopped", publish=None)
    other = replace(made.serving, name="other", publish=None, labels={**made.serving.labels, "deploy.app": "blog"})
    for spec in (stopped, other, made.candidate):
        server.engine.start(spec)
    server.engine.stop("stopped")
    assert containers.serving(server, made.app) is None
    server.engine.start(made.serving)
    found = containers.serving(server, made.app)
    assert found
    assert found.name == made.serving.name


def test_behind_a_proxy_the_one_that_it_is_told_of_serves(server: FakeServer, behind: Containers) -> None:
    server.engine.add_image("superlists:abc")
    server.engine.ensure_network("deploy")
    for name in ("superlists-1", "superlists-2"):
        server.engine.start(replace(behind.serving, name=name))
    assert containers.serving(server, behind.app) is None
    upstreams.tell(server, behind.app.name, "superlists-1", 8888)
    found = containers.serving(server, behind.app)
    assert found
    assert found.name == "superlists-1"
    assert {one.name for one in containers.running(server, behind.app)} == {"superlists-1", "superlists-2"}
    server.engine.stop("superlists-1")
    assert containers.serving(server, behind.app) is None


def test_the_shape_changes_with_what_a_container_is_made_from(made: Containers, behind: Containers) -> None:
    changed = [
        made,
        behind,
        replace(made, app=replace(made.app, port=80)),
        replace(made, app=replace(made.app, database=PurePosixPath("/other/db"))),
        replace(made, app=replace(made.app, volumes={"media": PurePosixPath("/m")})),
        replace(made, target=replace(made.target, publish=81)),
    ]
    assert len({one.shape for one in changed}) == len(changed)


def test_the_shape_does_not_change_with_what_the_image_and_the_settings_say(made: Containers) -> None:
    other = replace(made, release=replace(RELEASE, image="superlists:new"), settings={"KEY": "y"})
    assert other.shape == made.shape


def test_behind_a_proxy_the_shape_does_not_change_with_the_port_or_the_drain(behind: Containers) -> None:
    other = replace(behind, target=replace(TARGET, publish=81), app=replace(behind.app, drain=5))
    assert other.shape == behind.shape
