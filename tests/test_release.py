from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath

import pytest

from deploy_plugin import release
from deploy_plugin.containers import Containers
from deploy_plugin.models import App, Release, Target
from deploy_plugin.secret import Secret
from deploy_plugin.settings import render
from deploy_plugin.testing import FakeServer
from tests.site import TARGET, Site

SECRETS = {"KEY": Secret("s3ntinel")}


@dataclass
class Wanted:
    """What is to be deployed, beside what serves."""

    app: App
    target: Target = TARGET
    secrets: Mapping[str, Secret] = ()  # type: ignore[assignment]

    def choose(self, server: FakeServer) -> Containers:
        return release.choose(server, self.app, self.target, self.secrets or SECRETS)


@pytest.fixture
def app(app: App) -> App:
    """One that is published itself: then its port is a part of its shape, too."""
    return replace(app, proxied=False)


@pytest.fixture
def serving(server: FakeServer, app: App) -> Containers:
    """The release that serves, whose id no clock gives again."""
    return _serve(server, app, "20200101-000000-abcdef0")


def _serve(server: FakeServer, app: App, release_id: str) -> Containers:
    first = release.choose(server, app, TARGET, SECRETS)
    old = replace(first.release, id=release_id)
    containers = release._containers(server, app, TARGET, old, SECRETS)  # noqa: SLF001 - as an earlier run chose it
    server.engine.add_image(old.image)
    server.engine.start(containers.serving)
    server.write(containers.folder.settings(old.id), render(containers.settings), mode=0o600)
    server.journal.clear()
    return containers


def test_where_nothing_serves_it_is_a_new_release_of_this_content(server: FakeServer, app: App) -> None:
    chosen = release.choose(server, app, TARGET, SECRETS)
    assert chosen.release.image.startswith("superlists:")
    assert chosen.settings == {"HOST": "staging.example.com", **SECRETS}
    assert chosen.user == server.facts.app_user
    assert chosen.folder.home == PurePosixPath(str(server.home))


def test_the_later_of_two_releases_has_the_higher_id_in_the_same_second_too(
    server: FakeServer, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    seconds = iter((f"{now}-1234567", f"{now}-1234567", f"{now}9-1234567"))
    _serve(server, app, f"{now}-adopted")
    (app.context / "app.py").write_text("print('two')\n")
    monkeypatch.setattr(release, "_new_release", lambda _app, image, _digest: Release(next(seconds), "", image))
    assert release.choose(server, app, TARGET, SECRETS).release.id == f"{now}9-1234567"


def test_an_id_that_was_there_before_is_not_given_again(
    server: FakeServer, serving: Containers, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_back, other = "20300101-000000-abcdef0", "20300101-000001-abcdef0"
    server.write(serving.folder.settings(taken_back), b"", mode=0o600)
    (app.context / "app.py").write_text("print('two')\n")
    ids = iter((taken_back, taken_back, other))
    monkeypatch.setattr(release, "_new_release", lambda _app, image, _digest: Release(next(ids), "", image))
    assert release.choose(server, app, TARGET, SECRETS).release.id == other


def test_outside_of_git_the_id_ends_in_the_contents_digest(server: FakeServer, app: App) -> None:
    chosen = release.choose(server, app, TARGET, SECRETS).release
    assert chosen.commit == ""
    assert chosen.id.rpartition("-")[2] == chosen.image.partition(":")[2][:7]


def test_the_same_is_the_release_that_serves(server: FakeServer, serving: Containers, app: App) -> None:
    assert Wanted(app).choose(server).release == serving.release
    assert server.journal == []


@pytest.mark.parametrize(
    "change",
    [
        lambda wanted: (wanted.app.context / "app.py").write_text("print('two')\n"),
        lambda wanted: setattr(wanted, "app", replace(wanted.app, platform="linux/arm64")),
        lambda wanted: setattr(wanted, "app", replace(wanted.app, env={"HOST": "other"})),
        lambda wanted: setattr(wanted, "app", replace(wanted.app, env={"HOST": "{host}", "NEW": ""})),
        lambda wanted: setattr(wanted, "secrets", {"KEY": Secret("new")}),
        lambda wanted: setattr(wanted, "app", replace(wanted.app, port=80)),
        lambda wanted: setattr(wanted, "app", replace(wanted.app, volumes={"media": PurePosixPath("/m")})),
        lambda wanted: setattr(wanted, "app", replace(wanted.app, proxied=True)),
        lambda wanted: setattr(wanted, "target", replace(TARGET, publish=81)),
        lambda wanted: setattr(wanted, "target", replace(TARGET, url="http://new.example.com:8080")),
    ],
    ids=["content", "platform", "setting", "new setting", "secret", "port", "volume", "proxy", "publish", "url"],
)
def test_whatever_changes_makes_a_new_release(
    server: FakeServer, serving: Containers, app: App, change: Callable[[Wanted], object]
) -> None:
    wanted = Wanted(app)
    change(wanted)
    assert wanted.choose(server).release.id != serving.release.id
    assert server.journal == []


@pytest.mark.parametrize("status", [302, 500])
def test_one_that_serves_but_is_not_well_is_replaced(
    server: FakeServer, serving: Containers, app: App, site: Site, status: int
) -> None:
    site.status = status
    assert Wanted(app).choose(server).release.id != serving.release.id


def test_one_whose_settings_were_lost_is_replaced(server: FakeServer, serving: Containers, app: App) -> None:
    server.run("rm", serving.folder.settings(serving.release.id))
    assert Wanted(app).choose(server).release.id != serving.release.id


def test_the_container_of_another_app_is_not_taken_for_it(server: FakeServer, serving: Containers, app: App) -> None:
    assert Wanted(replace(app, name="blog")).choose(server).release.id != serving.release.id


def test_what_serves_is_found_whatever_this_checkout_holds(server: FakeServer, serving: Containers, app: App) -> None:
    (app.context / "app.py").write_text("print('two')\n")
    found = release.found(server, app, TARGET)
    assert found
    assert found.release == serving.release


def test_nothing_is_found_where_nothing_serves(server: FakeServer, serving: Containers, app: App) -> None:
    server.engine.stop(serving.serving.name)
    assert release.found(server, app, TARGET) is None
