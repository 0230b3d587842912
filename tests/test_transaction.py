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
from tests.site import TARGET, Site, reached, running

NEW = "superlists-202[!0]*-???????"
"""The container that is to serve: not the old one of 2020, and not the candidate."""


@dataclass
class Deploys:
    """Deploys again and again, as runs do."""

    server: FakeServer
    app: App
    runner: Runner
    site: Site

    def __call__(self) -> Deployment:
        self.server.journal.clear()
        self.runner = Runner(self.server, Told())
        try:
            return transaction.deploy(self.app, TARGET, self.server, self.runner)
        finally:
            self.runner.release_lease()

    def fails(self) -> DeployError:
        with pytest.raises(DeployError) as caught:
            self()
        return caught.value

    @property
    def outcomes(self) -> dict[str, Outcome]:
        return {step.title: step.outcome for step in self.runner.recap.steps}

    @property
    def serving(self) -> str:
        """The container that visitors reach."""
        return reached(self.server, self.site)

    @property
    def ids(self) -> set[str]:
        return {container.id for container in self.server.engine.containers({}) if container.running}

    def change_code(self) -> None:
        (self.app.context / "app.py").write_text("print('two')\n")


@pytest.fixture
def proxied() -> bool:
    return True


published = pytest.mark.parametrize("proxied", [False], ids=["published"])
either_way = pytest.mark.parametrize("proxied", [True, False], ids=["proxied", "published"])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_PAUSE", 0.01)


@pytest.fixture
def deploy(server: FakeServer, app: App, machine: Machine, site: Site, *, proxied: bool) -> Deploys:
    assert machine.built == []
    volumes = {"media": PurePosixPath("/media")}
    app = replace(app, secrets={"KEY": SecretSource(generate=50)}, volumes=volumes, proxied=proxied)
    return Deploys(server, app, Runner(server, Told()), site)


@pytest.fixture
def old(deploy: Deploys, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """The release that serves, made at a time that no clock gives again."""
    from deploy_plugin import release

    with monkeypatch.context() as patch:
        new = release._new_release  # noqa: SLF001 - the clock is its own
        patch.setattr(release, "_new_release", lambda *a: replace(new(*a), id="20200101-000000-abcdef0"))
        return deploy()


@either_way
def test_a_first_deploy_brings_everything_and_serves(deploy: Deploys, site: Site) -> None:
    deployment = deploy()
    assert deploy.outcomes["Gather facts"] is Outcome.OK
    assert deploy.outcomes["Switch" if deploy.app.proxied else "Publish"] is Outcome.CHANGED
    assert site.pending == []
    assert running(deploy.server) == {deployment.container}
    assert deploy.serving == deployment.container
    assert deployment.front == ("proxy-8080" if deploy.app.proxied else deployment.container)
    assert (deployment.port, deployment.url) == (8888, TARGET.url)
    assert deployment.release.id in deployment.container
    assert deployment.recap == deploy.runner.recap


def test_what_is_on_the_server_afterwards_is_what_the_docs_draw(deploy: Deploys) -> None:
    release = deploy().release.id
    folder = deploy.server.home / "deploy" / "superlists"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) == [
        ".env",
        "data",
        "data/db.sqlite3",
        "lease",
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


@either_way
def test_a_second_deploy_of_the_same_is_all_ok_and_touches_nothing(deploy: Deploys) -> None:
    first = deploy()
    ids, tree, sent = deploy.ids, deploy.server.tree(), deploy.server.bytes_sent
    second = deploy()
    assert set(deploy.outcomes.values()) == {Outcome.OK}
    assert deploy.server.journal == []
    assert (deploy.ids, deploy.server.tree(), deploy.server.bytes_sent) == (ids, tree, sent)
    assert second.release == first.release
    assert second.container == first.container


@either_way
def test_changed_code_is_a_new_release_with_the_same_secrets(deploy: Deploys, old: Deployment) -> None:
    env_file = Path(old.folder.env_file).read_bytes()
    deploy.change_code()
    new = deploy()
    assert new.release.id != old.release.id
    assert new.release.image != old.release.image
    assert Path(old.folder.env_file).read_bytes() == env_file
    assert deploy.outcomes["Ensure env file"] is Outcome.OK
    assert deploy.serving == new.container


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


@either_way
@pytest.mark.usefixtures("old")
def test_a_failing_migration_leaves_the_old_container_serving_alone(deploy: Deploys, site: Site) -> None:
    ids = deploy.ids
    deploy.change_code()
    site.migrate_fails = "UNIQUE constraint failed"
    site.pending = ["lists.0003_unique"]
    assert "UNIQUE constraint failed" in str(deploy.fails())
    assert deploy.ids == ids
    assert deploy.outcomes["Migrate"] is Outcome.FAILED
    assert list(deploy.outcomes)[-1] == "Migrate"


@either_way
@pytest.mark.usefixtures("old")
def test_a_build_that_fails_stops_before_the_server_is_changed(deploy: Deploys, machine: Machine) -> None:
    ids = deploy.ids
    machine.fails = StepFailed("The image does not build.")
    deploy.change_code()
    assert "does not build" in str(deploy.fails())
    assert deploy.server.journal == []
    assert deploy.ids == ids


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


@either_way
def test_a_release_that_does_not_start_leaves_the_old_and_the_next_deploy_succeeds(
    deploy: Deploys, old: Deployment
) -> None:
    ids = deploy.ids
    deploy.change_code()
    deploy.server.engine.fail(f"start {NEW}*", StepFailed("no memory"))
    assert "no memory" in str(deploy.fails())
    assert deploy.ids == ids
    assert deploy.serving == old.container
    assert deploy.serving != deploy().container == deploy.serving


def test_a_release_that_dies_is_said_to_and_visitors_notice_nothing(deploy: Deploys, old: Deployment) -> None:
    ids = deploy.ids
    deploy.change_code()
    deploy.server.engine.dies(NEW, log="no reason to live")
    assert "no reason to live" in str(deploy.fails())
    assert deploy.outcomes["Await health"] is Outcome.FAILED
    assert (deploy.serving, deploy.ids) == (old.container, ids)


@pytest.mark.usefixtures("old")
def test_a_release_that_is_never_well_is_removed(deploy: Deploys, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    ids = deploy.ids
    deploy.change_code()
    site.status = 400
    assert "is not healthy" in str(deploy.fails())
    site.status = 200
    assert deploy.ids == ids


def test_a_switch_that_fails_leaves_visitors_where_they_are(deploy: Deploys, old: Deployment) -> None:
    ids = deploy.ids
    deploy.change_code()
    deploy.server.engine.fail("keep *", StepFailed("Docker has no time"))
    assert "no time" in str(deploy.fails())
    assert (deploy.serving, deploy.ids) == (old.container, ids)


def test_whatever_fails_after_the_switch_sends_visitors_back(deploy: Deploys, old: Deployment) -> None:
    ids = deploy.ids
    deploy.change_code()
    (deploy.server.home / "deploy/superlists/releases").chmod(0o500)
    deploy.server.install("mv", 'case "$*" in */releases/*.json) exit 1 ;; esac; exec /bin/mv "$@"')
    assert "can't be written" in str(deploy.fails())
    assert deploy.outcomes["Switch"] is Outcome.CHANGED
    assert (deploy.serving, deploy.ids) == (old.container, ids)


def test_visitors_that_can_not_be_sent_back_are_a_failed_rollback(deploy: Deploys, old: Deployment) -> None:
    deploy.change_code()
    deploy.server.install("mv", 'case "$*" in */releases/*.json) exit 1 ;; esac; exec /bin/mv "$@"')
    deploy.server.engine.fail(f"remove {NEW}", StepFailed("Docker does not remove it"))
    error = deploy.fails()
    assert isinstance(error, RollbackFailed)
    assert "can't be written" in error.got
    assert "does not remove it" in error.got
    assert old.container in running(deploy.server)


@published
@pytest.mark.usefixtures("old")
def test_a_publish_that_fails_leaves_the_same_container_serving(deploy: Deploys) -> None:
    ids = deploy.ids
    deploy.change_code()
    deploy.server.engine.dies(NEW)
    assert "serves again" in str(deploy.fails())
    assert deploy.ids == ids


@published
def test_a_publish_that_can_not_be_undone_is_a_failed_rollback(deploy: Deploys, old: Deployment) -> None:
    deploy.change_code()
    deploy.server.engine.dies(NEW)
    deploy.server.engine.fail(f"start_again {old.container}", StepFailed("Docker does not start it"))
    assert isinstance(deploy.fails(), RollbackFailed)


# With a proxy where there was none, and back


@published
def test_the_proxy_takes_the_port_over(deploy: Deploys, old: Deployment) -> None:
    deploy.app = replace(deploy.app, proxied=True)
    new = deploy()
    assert new.container != old.container
    assert running(deploy.server) == {new.container}
    assert deploy.serving == new.container


@published
def test_what_fails_once_the_proxy_has_the_port_gives_it_back(deploy: Deploys, old: Deployment) -> None:
    deploy.app = replace(deploy.app, proxied=True)
    deploy.server.install("mv", 'case "$*" in */releases/*.json) exit 1 ;; esac; exec /bin/mv "$@"')
    assert "can't be written" in str(deploy.fails())
    assert running(deploy.server) == {old.container}
    assert deploy.serving == old.container


def test_the_app_takes_the_port_from_a_proxy_that_was_removed(deploy: Deploys, old: Deployment) -> None:
    deploy.app = replace(deploy.app, proxied=False)
    deploy.server.engine.remove(old.front)
    new = deploy()
    assert deploy.serving == new.container
    assert running(deploy.server) == {new.container}
    deploy.app = replace(deploy.app, proxied=True)
    assert deploy.serving != deploy().container == deploy.serving


# Afterwards


def drained(deploy: Deploys, meanwhile: str = "true") -> list[str]:
    """Commit, wait until the job on the server has ended, and say what it did; ``meanwhile`` happens as it waits."""
    told = deploy.server.home / "told"
    deploy.server.install("setsid", f'"$@"; echo ended >>{told}')
    deploy.server.install("sleep", f'echo "sleep $*" >>{told}; {meanwhile}')
    deploy.server.install("docker", f'echo "docker $*" >>{told}')
    transaction.commit(deploy.app, deploy.server, None)
    for _ in range(1000):
        if told.exists() and told.read_text().endswith("ended\n"):
            break
        time.sleep(0.01)
    return told.read_text().splitlines()[:-1]


def test_what_served_before_ends_once_it_has_had_its_time(deploy: Deploys, old: Deployment) -> None:
    deploy.app = replace(deploy.app, drain=7)
    deploy.change_code()
    deploy()
    assert old.container in running(deploy.server)
    assert drained(deploy) == ["sleep 7", f"docker stop {old.container}"]


def test_what_visitors_were_sent_back_to_does_not_end(deploy: Deploys, old: Deployment) -> None:
    deploy.change_code()
    deploy()
    upstream = deploy.server.home / "deploy/proxy/upstreams/superlists"
    assert drained(deploy, meanwhile=f"echo {old.container}:8888 >{upstream}") == ["sleep 30"]


def test_a_release_that_a_killed_run_left_ends_as_well(deploy: Deploys, old: Deployment) -> None:
    spec = deploy.server.engine.specs[old.container]
    deploy.server.engine.start(replace(spec, name="superlists-20200202-000000-abcdef0"))
    deploy()
    assert drained(deploy)[-1] == "docker stop superlists-20200202-000000-abcdef0"


@pytest.mark.usefixtures("old")
def test_where_nothing_is_left_over_nothing_ends(deploy: Deploys) -> None:
    deploy.server.install("setsid", "exit 1")
    deploy()
    transaction.commit(deploy.app, deploy.server, None)
    assert deploy.server.journal == []


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


BOTH_WAYS = [
    *("Gather facts", "Recall the target", "Install Docker", "Preflight", "Build image", "Ship image"),
    *("Remember the target", "Ensure env file", "Ensure database", "Ensure volumes", "Keep the release's settings"),
    *("Rehearse the migration", "Snapshot the database", "Migrate", "Keep the record"),
]
PROXIED = [
    *(*BOTH_WAYS, "Ship the proxy", "Start the release", "Await health", "Keep static files", "Ensure proxy", "Switch"),
]
PUBLISHED = [*BOTH_WAYS, "Start the candidate", "Publish"]
EVERY_TITLE = [*((True, title) for title in PROXIED), *((False, title) for title in PUBLISHED)]


@dataclass
class Interrupting(Told):
    title: str = ""

    def pytest_deploy_step_started(self, *, step: Step) -> None:
        if step.title == self.title:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("proxied", "title"), EVERY_TITLE)
@pytest.mark.usefixtures("old")
def test_ctrl_c_at_any_step_leaves_one_that_serves_and_nothing_else(deploy: Deploys, title: str) -> None:
    before, ids = deploy.serving, deploy.ids
    deploy.change_code()
    runner = Runner(deploy.server, Interrupting(title=title))
    with pytest.raises(KeyboardInterrupt):
        transaction.deploy(deploy.app, TARGET, deploy.server, runner)
    assert runner.recap.steps[-1].title == title
    assert running(deploy.server) == {deploy.serving}
    goes_on = title == "Keep the record" and not deploy.app.proxied
    assert (deploy.serving == before) == (deploy.ids == ids) == (not goes_on)
    assert deploy().container == deploy.serving


@either_way
def test_every_step_is_interrupted_once(deploy: Deploys) -> None:
    deploy()
    titles = PROXIED if deploy.app.proxied else PUBLISHED
    assert {step.title for step in deploy.runner.recap.steps} == set(titles)


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
