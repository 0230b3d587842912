"""A plan says what a deploy then does, and changes nothing: tried from every state that one or two mishaps lead to."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deploy_plugin import health, release, transaction
from deploy_plugin.models import App, Outcome, SecretSource, Target
from deploy_plugin.runner import Runner
from deploy_plugin.testing import FakeServer
from tests.listener import Told
from tests.machine import Machine
from tests.site import TARGET


@dataclass
class World:
    """A server, and the checkout that is deployed to it."""

    server: FakeServer
    app: App
    target: Target = TARGET

    @property
    def folder(self) -> Path:
        return self.server.home / "deploy" / "superlists"

    def plan(self) -> Runner:
        dry = Runner(self.server, Told(), dry=True)
        transaction.foresee(self.app, self.target, self.server, dry)
        return dry

    def deploy(self) -> Runner:
        runner = Runner(self.server, Told())
        transaction.deploy(self.app, self.target, self.server, runner)
        runner.release_lease()
        return runner


def change_code(world: World) -> None:
    (world.app.context / "app.py").write_text("print('another')\n")


def change_setting(world: World) -> None:
    world.app = replace(world.app, env={**world.app.env, "COLOUR": "green"})


def lose_secrets(world: World) -> None:
    (world.folder / ".env").unlink()


def show_secrets(world: World) -> None:
    if (world.folder / ".env").exists():
        (world.folder / ".env").chmod(0o644)


def lose_data(world: World) -> None:
    shutil.rmtree(world.folder / "data")


def lose_releases(world: World) -> None:
    shutil.rmtree(world.folder / "releases")


def publish_elsewhere(world: World) -> None:
    world.target = replace(world.target, publish=8081)


def lose_the_proxy(world: World) -> None:
    world.server.engine.remove("proxy-8080")
    shutil.rmtree(world.server.home / "deploy/proxy")


def publish_itself(world: World) -> None:
    """Let it be as it was before there was a proxy: the app's own container holds the port."""
    proxied = next(spec for spec in world.server.engine.specs.values() if spec.labels["deploy.role"] == "proxied")
    lose_the_proxy(world)
    world.server.engine.remove(proxied.name)
    labels = {**proxied.labels, "deploy.role": "serving", "deploy.shape": "another"}
    world.server.engine.start(replace(proxied, labels=labels, network="", publish=8080))


def stop_the_site(world: World) -> None:
    for container in world.server.engine.containers({}):
        world.server.engine.stop(container.name)


def forget_docker(world: World) -> None:
    world.server.engine = type(world.server.engine)()
    facts = world.server.facts
    world.server.facts = replace(facts, has_docker=False, docker_runs=False, docker_access=False)
    world.server.reconnected = facts
    world.server.install("apt-get", "exit 0")
    world.server.install("sudo", "exit 0")


MISHAPS: Mapping[str, Callable[[World], None]] = {
    mishap.__name__: mishap
    for mishap in (
        change_code,
        change_setting,
        lose_secrets,
        show_secrets,
        lose_data,
        lose_releases,
        publish_elsewhere,
        lose_the_proxy,
        stop_the_site,
    )
}
STATES = [
    names
    for count in range(3)
    for names in itertools.combinations(MISHAPS, count)
    if names != ("lose_the_proxy", "publish_itself")
]


@pytest.fixture
def world(server: FakeServer, app: App, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> World:
    """A server with a release that serves, made at a time that no clock gives again."""
    assert machine.built == []
    monkeypatch.setattr(health, "_PAUSE", 0.01)
    world = World(server, replace(app, secrets={"KEY": SecretSource(generate=50)}))
    with monkeypatch.context() as patch:
        new = release._new_release  # noqa: SLF001 - the clock is its own
        patch.setattr(release, "_new_release", lambda *a: replace(new(*a), id="20200101-000000-abcdef0"))
        world.deploy()
    return world


@pytest.mark.parametrize("mishaps", STATES, ids="+".join)
def test_a_deploy_does_what_its_plan_says(world: World, mishaps: tuple[str, ...]) -> None:
    for name in mishaps:
        MISHAPS[name](world)
    world.server.journal.clear()
    before = world.server.tree()

    foreseen = {step.title: step.outcome for step in world.plan().recap.steps}

    assert world.server.tree() == before
    assert world.server.journal == []
    done = {step.title: step.outcome for step in world.deploy().recap.steps}
    assert foreseen.keys() == done.keys()
    assert {title: done[title] for title, outcome in foreseen.items() if outcome is not Outcome.SKIPPED} == {
        title: outcome for title, outcome in foreseen.items() if outcome is not Outcome.SKIPPED
    }


def test_what_has_to_be_done_first_is_said_where_something_is_not_known(world: World) -> None:
    change_code(world)

    unknown = [step for step in world.plan().recap.steps if step.outcome is Outcome.SKIPPED]

    migrating = ["Rehearse the migration", "Snapshot the database", "Migrate"]
    assert [step.title for step in unknown] == [*migrating, "Await health"]
    assert "not known yet: the migrations are in superlists:" in str(unknown[0].reason)


def test_without_docker_everything_of_ours_is_known_to_be_missing(world: World) -> None:
    forget_docker(world)

    foreseen = {step.title: step.outcome for step in world.plan().recap.steps}

    assert foreseen["Install Docker"] is foreseen["Ship image"] is foreseen["Switch"] is Outcome.CHANGED
    assert foreseen["Ensure proxy"] is foreseen["Start the release"] is Outcome.CHANGED
    assert foreseen["Migrate"] is foreseen["Await health"] is Outcome.SKIPPED
    assert foreseen["Ensure env file"] is Outcome.OK


def test_where_docker_can_not_be_asked_the_rest_is_not_known(world: World) -> None:
    world.server.facts = replace(world.server.facts, docker_access=False)

    *_, rest = world.plan().recap.steps

    assert (rest.outcome, rest.title) == (Outcome.SKIPPED, "Bring the release onto the server")
    assert "Docker there can't be asked yet" in str(rest.reason)
