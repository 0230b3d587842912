"""What a deploy leaves to be done, and what is found there afterwards."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from deploy_plugin import ending, prune, transaction
from deploy_plugin.containers import ONE_OFF, ROLE
from deploy_plugin.errors import ConfigError, StepFailed
from deploy_plugin.models import Deployment, SecretSource
from tests.site import TARGET, running
from tests.transaction.deploys import Deploys

# Afterwards


def drained(deploy: Deploys, meanwhile: str = "true") -> list[str]:
    """Commit, wait until the job on the server has ended, and say what it did; ``meanwhile`` happens as it waits."""
    told = deploy.server.home / "told"
    deploy.server.install("setsid", f'"$@"; echo ended >>{told}')
    deploy.server.install("sleep", f'echo "sleep $*" >>{told}; {meanwhile}')
    deploy.server.install("docker", f'echo "docker $*" >>{told}')
    ending.commit(deploy.app, deploy.server, deploy.runner)
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


def test_what_a_killed_rollback_left_goes_although_there_is_nothing_to_deploy(deploy: Deploys, old: Deployment) -> None:
    spec = deploy.server.engine.specs[old.container]
    left = replace(spec, name="superlists-1-compatibility", labels={**spec.labels, ROLE: ONE_OFF})
    deploy.server.engine.start(left)
    copy = deploy.server.home / "deploy/superlists/rehearsal/db.sqlite3"
    copy.parent.mkdir()
    copy.write_text("rows of users")
    deploy()
    ending.commit(deploy.app, deploy.server, deploy.runner)
    assert running(deploy.server) == {old.container}
    assert not copy.parent.exists()


@pytest.mark.usefixtures("old")
def test_where_nothing_is_left_over_nothing_ends(deploy: Deploys) -> None:
    deploy.server.install("setsid", "exit 1")
    deploy()
    ending.commit(deploy.app, deploy.server, deploy.runner)
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


# What is cleared away


@pytest.mark.usefixtures("old")
def test_a_run_that_changed_nothing_clears_nothing_away(deploy: Deploys, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy()
    monkeypatch.setattr(prune, "prune", lambda *_: pytest.fail("it was asked for"))
    ending.commit(deploy.app, deploy.server, deploy.runner)
    assert deploy.runner.afterwards == []


@pytest.mark.usefixtures("old")
def test_a_run_with_a_new_release_says_what_went_and_what_is_left(deploy: Deploys) -> None:
    deploy.server.engine.add_image("superlists:aaaaaaaaaaaa")
    deploy.change_code()
    deploy()
    ending.commit(deploy.app, deploy.server, deploy.runner)
    assert deploy.runner.afterwards == [
        "no longer needed, and removed there: superlists:aaaaaaaaaaaa",
        "superlists on the server's disk: images 0.0 MB",
    ]


@pytest.mark.usefixtures("old")
def test_what_can_not_be_cleared_away_is_said_and_the_release_stays(deploy: Deploys) -> None:
    deploy.change_code()
    deploy()
    serves = deploy.serving
    deploy.server.engine.fail("tagged *", StepFailed("Docker could not list the images."))
    ending.commit(deploy.app, deploy.server, deploy.runner)
    assert deploy.runner.afterwards == ["What is old was not cleared away: Docker could not list the images."]
    assert deploy.serving == serves
