"""A whole deploy, on a server that is a folder."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin import health, transaction
from deploy_plugin.errors import ConfigError, DeployError, RollbackFailed, StepFailed
from deploy_plugin.models import App, Deployment, Outcome, SecretSource
from deploy_plugin.runner import Runner
from deploy_plugin.steps.base import Step
from deploy_plugin.steps.gather_facts import GatherFacts
from deploy_plugin.testing import FakeServer
from tests.listener import Told
from tests.machine import Machine
from tests.site import TARGET, Site

NEW = "superlists-202[!0]*-???????"
"""The container that is to serve: not the old one of 2020, and not the candidate."""


@dataclass
class Deploys:
    """Deploys again and again, as runs do."""

    server: FakeServer
    app: App
    runner: Runner

    def __call__(self) -> Deployment:
        self.server.journal.clear()
        self.runner = Runner(self.server, Told())
        return transaction.deploy(self.app, TARGET, self.server, self.runner)

    def fails(self) -> DeployError:
        with pytest.raises(DeployError) as caught:
            self()
        return caught.value

    @property
    def outcomes(self) -> dict[str, Outcome]:
        return {step.title: step.outcome for step in self.runner.recap.steps}

    @property
    def serving(self) -> list[str]:
        """Ids of the containers that run."""
        return [container.id for container in self.server.engine.containers({}) if container.running]

    def change_code(self) -> None:
        (self.app.context / "app.py").write_text("print('two')\n")


@pytest.fixture
def deploy(server: FakeServer, app: App, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Deploys:
    monkeypatch.setattr(health, "_PAUSE", 0.01)
    assert machine.built == []
    volumes = {"media": PurePosixPath("/media")}
    app = replace(app, secrets={"KEY": SecretSource(generate=50)}, volumes=volumes)
    return Deploys(server, app, Runner(server, Told()))


@pytest.fixture
def old(deploy: Deploys, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """The release that serves, made at a time that no clock gives again."""
    from deploy_plugin import release

    with monkeypatch.context() as patch:
        new = release._new_release  # noqa: SLF001 - the clock is its own
        patch.setattr(release, "_new_release", lambda *a: replace(new(*a), id="20200101-000000-abcdef0"))
        return deploy()


def test_a_first_deploy_brings_everything_and_serves(deploy: Deploys, site: Site) -> None:
    deployment = deploy()
    assert deploy.outcomes["Gather facts"] is Outcome.OK
    assert deploy.outcomes["Switch"] is Outcome.CHANGED
    assert site.pending == []
    (serving,) = (one for one in deploy.server.engine.containers({}) if one.running)
    assert deployment.container == serving.name
    assert (deployment.port, deployment.url) == (8888, TARGET.url)
    assert deployment.release.id in serving.name
    assert deployment.recap == deploy.runner.recap


def test_what_is_on_the_server_afterwards_is_what_the_docs_draw(deploy: Deploys) -> None:
    release = deploy().release.id
    folder = deploy.server.home / "deploy" / "superlists"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) == [
        ".env",
        "data",
        "data/db.sqlite3",
        "media",
        "releases",
        f"releases/{release}.env",
        f"releases/{release}.json",
        "target.json",
    ]


def test_the_generated_secret_is_in_the_container_and_in_no_record(deploy: Deploys) -> None:
    deployment = deploy()
    spec = deploy.server.engine.specs[deployment.container]
    key = dict(line.split("=", 1) for line in Path(deployment.folder.env_file).read_text().splitlines())["KEY"]
    assert str(spec.env["KEY"]) != key
    assert getattr(spec.env["KEY"], "reveal")() == key  # noqa: B009 - a setting may be plain text as well
    assert key not in Path(deployment.folder.record(deployment.release.id)).read_text()
    assert key not in repr(deploy.runner.recap) + repr(spec)


def test_a_second_deploy_of_the_same_is_all_ok_and_touches_nothing(deploy: Deploys) -> None:
    first = deploy()
    serving, tree, sent = deploy.serving, deploy.server.tree(), deploy.server.bytes_sent
    second = deploy()
    assert set(deploy.outcomes.values()) == {Outcome.OK}
    assert deploy.server.journal == []
    assert (deploy.serving, deploy.server.tree(), deploy.server.bytes_sent) == (serving, tree, sent)
    assert second.release == first.release
    assert second.container == first.container


def test_changed_code_is_a_new_release_with_the_same_secrets(deploy: Deploys, old: Deployment) -> None:
    env_file = Path(old.folder.env_file).read_bytes()
    deploy.change_code()
    new = deploy()
    assert new.release.id != old.release.id
    assert new.release.image != old.release.image
    assert Path(old.folder.env_file).read_bytes() == env_file
    assert deploy.outcomes["Ensure env file"] is Outcome.OK
    assert len(deploy.serving) == 1


def test_a_changed_setting_is_a_new_release_of_the_same_image(deploy: Deploys, old: Deployment) -> None:
    deploy.app = replace(deploy.app, env={"HOST": "{host}", "DEBUG": "1"})
    new = deploy()
    assert (new.release.image, deploy.outcomes["Build image"]) == (old.release.image, Outcome.OK)
    assert new.release.id != old.release.id
    assert deploy.server.engine.specs[new.container].env["DEBUG"] == "1"


def test_a_changed_secret_from_here_is_a_new_release(
    deploy: Deploys, old: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2")
    deploy.app = replace(deploy.app, secrets={**deploy.app.secrets, "MAIL": SecretSource(from_env="MAIL_PASSWORD")})
    assert deploy().release.id != old.release.id
    assert "MAIL=hunter2" in Path(old.folder.env_file).read_text()


@pytest.mark.usefixtures("old")
def test_a_failing_migration_leaves_the_old_container_running(deploy: Deploys, site: Site) -> None:
    serving = deploy.serving
    deploy.change_code()
    site.migrate_fails = "UNIQUE constraint failed"
    site.pending = ["lists.0003_unique"]
    assert "UNIQUE constraint failed" in str(deploy.fails())
    assert deploy.serving == serving
    assert deploy.outcomes["Migrate"] is Outcome.FAILED
    assert "Start the candidate" not in deploy.outcomes


@pytest.mark.usefixtures("old")
def test_a_build_that_fails_stops_before_the_server_is_changed(deploy: Deploys, machine: Machine) -> None:
    serving = deploy.serving
    machine.fails = StepFailed("The image does not build.")
    deploy.change_code()
    assert "does not build" in str(deploy.fails())
    assert deploy.server.journal == []
    assert deploy.serving == serving


def test_what_is_built_is_begun_before_the_server_is_contacted(
    deploy: Deploys, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gather(_step: object, _server: object) -> None:
        deadline = time.monotonic() + 10
        while not machine.begun and time.monotonic() < deadline:
            time.sleep(0.01)
        assert machine.begun
        raise StepFailed("No.")

    monkeypatch.setattr(GatherFacts, "check", gather)
    assert str(deploy.fails()) == "No."
    assert [running.is_stopped for running in machine.begun] == [True]
    assert machine.built == []


def test_what_was_begun_for_another_platform_is_thrown_away(deploy: Deploys, machine: Machine) -> None:
    deploy.server.facts = replace(deploy.server.facts, platform="linux/arm64")
    deploy()
    assert [platform for _, _, platform in machine.built] == ["linux/arm64"]
    assert [(one.platform, one.is_stopped) for one in machine.begun] == [("linux/amd64", True), ("linux/arm64", True)]


@pytest.mark.usefixtures("old")
def test_what_does_not_build_is_built_again_by_the_next_deploy(deploy: Deploys, machine: Machine) -> None:
    machine.fails = StepFailed("The image does not build.")
    deploy.change_code()
    deploy.fails()
    machine.fails = None
    deploy()
    assert deploy.outcomes["Build image"] is Outcome.CHANGED


@pytest.mark.usefixtures("old")
def test_a_candidate_that_dies_leaves_the_old_and_the_next_deploy_succeeds(deploy: Deploys) -> None:
    serving = deploy.serving
    deploy.change_code()
    deploy.server.engine.fail("start *-candidate", StepFailed("no memory"))
    assert "no memory" in str(deploy.fails())
    assert deploy.serving == serving
    deploy()
    assert len(deploy.serving) == 1
    assert deploy.serving != serving


@pytest.mark.usefixtures("old")
def test_a_switch_that_fails_leaves_the_same_container_serving(deploy: Deploys) -> None:
    serving = deploy.serving
    deploy.change_code()
    deploy.server.engine.dies(NEW)
    assert "serves again" in str(deploy.fails())
    assert deploy.serving == serving


def test_a_switch_that_can_not_be_undone_is_a_failed_rollback(deploy: Deploys, old: Deployment) -> None:
    deploy.change_code()
    deploy.server.engine.dies(NEW)
    deploy.server.engine.fail(f"start_again {old.container}", StepFailed("Docker does not start it"))
    assert isinstance(deploy.fails(), RollbackFailed)


def test_a_secret_that_is_missing_here_stops_before_anything_is_contacted(
    deploy: Deploys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    deploy.app = replace(deploy.app, secrets={"MAIL": SecretSource(from_env="MAIL_PASSWORD")})
    assert isinstance(deploy.fails(), ConfigError)
    assert deploy.runner.recap.steps == ()


def test_verify_finds_what_serves_and_changes_nothing(deploy: Deploys) -> None:
    deployed = deploy()
    deploy.server.journal.clear()
    found = transaction.verify(deploy.app, TARGET, deploy.server)
    assert (found.release, found.container, found.recap.steps) == (deployed.release, deployed.container, ())
    assert deploy.server.journal == []


@pytest.mark.parametrize("docker_access", [True, False])
def test_verifying_where_nothing_serves_says_how_to_deploy(deploy: Deploys, *, docker_access: bool) -> None:
    deploy.server.facts = replace(deploy.server.facts, docker_runs=docker_access, docker_access=docker_access)
    with pytest.raises(StepFailed, match="No release of superlists serves on staging") as caught:
        transaction.verify(deploy.app, TARGET, deploy.server)
    assert "--deploy-to=staging" in caught.value.hint


def test_verifying_as_a_user_who_may_not_use_docker_says_so(deploy: Deploys) -> None:
    deploy.server.facts = replace(deploy.server.facts, user="harriet", docker_access=False)
    with pytest.raises(StepFailed, match="harriet may not use Docker on staging") as caught:
        transaction.verify(deploy.app, TARGET, deploy.server)
    assert "usermod -aG docker harriet" in caught.value.hint


# Ctrl-C


EVERY_TITLE = [
    *("Gather facts", "Recall the target", "Install Docker", "Preflight"),
    *("Build image", "Ship image", "Remember the target", "Ensure env file", "Ensure database", "Ensure volumes"),
    *("Keep the release's settings", "Migrate", "Start the candidate", "Switch", "Keep the record"),
]


@dataclass
class Interrupting(Told):
    title: str = ""

    def pytest_deploy_step_started(self, *, step: Step) -> None:
        if step.title == self.title:
            raise KeyboardInterrupt


@pytest.mark.parametrize("title", EVERY_TITLE)
@pytest.mark.usefixtures("old")
def test_ctrl_c_at_any_step_leaves_one_that_serves_and_no_candidate(deploy: Deploys, title: str) -> None:
    before = deploy.serving
    deploy.change_code()
    runner = Runner(deploy.server, Interrupting(title=title))
    with pytest.raises(KeyboardInterrupt):
        transaction.deploy(deploy.app, TARGET, deploy.server, runner)
    assert runner.recap.steps[-1].title == title
    assert len(deploy.serving) == 1
    assert (deploy.serving == before) == (title != "Keep the record")
    assert not [one for one in deploy.server.engine.containers({}) if one.name.endswith("-candidate")]
    deploy()
    assert len(deploy.serving) == 1


def test_every_step_is_interrupted_once(deploy: Deploys) -> None:
    deploy()
    assert [step.title for step in deploy.runner.recap.steps] == EVERY_TITLE


def plans(site: Site) -> int:
    """How often Django was started to say which migrations are not applied."""
    return sum("--plan" in command for _, command in site.commands)


def test_django_is_not_started_where_the_database_is_as_it_was_recorded(deploy: Deploys, site: Site) -> None:
    deploy()
    before = plans(site)
    deploy()
    assert deploy.outcomes["Migrate"] is Outcome.OK
    assert plans(site) == before


def test_a_database_that_went_back_is_migrated_again(deploy: Deploys, site: Site) -> None:
    deploy()
    site.pending.append("lists.0002_item")
    deploy()
    assert deploy.outcomes["Migrate"] is Outcome.CHANGED
    assert site.pending == []


def test_a_record_that_does_not_say_what_the_database_had_lets_django_say_it(deploy: Deploys, site: Site) -> None:
    deploy()
    (record,) = (deploy.server.home / "deploy" / "superlists" / "releases").glob("*.json")
    record.write_text('{"release": "x"}\n')
    before = plans(site)
    deploy()
    assert plans(site) == before + 1
