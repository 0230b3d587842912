"""A whole deploy: what it brings, and what it does again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deploy_plugin.models import Deployment, Outcome, SecretSource
from tests.site import TARGET, Site, running
from tests.transaction.deploys import Deploys, either_way


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


@either_way
def test_on_an_empty_database_nobody_is_asked_what_is_applied(deploy: Deploys, site: Site) -> None:
    deploy()
    assert reason(deploy, "Migrate") == "the database is empty"
    assert [command for _, command in site.commands if "--plan" in command] == []
    assert [name for name, command in site.commands if "migrate" in command] == [f"{deploy.serving}-migrate"]


@either_way
def test_an_empty_database_under_a_release_that_serves_is_asked_about(deploy: Deploys, site: Site) -> None:
    site.pending = []  # an app without migrations: its database stays empty
    deploy()
    deploy.change_code()
    deploy()
    assert deploy.outcomes["Migrate"] is Outcome.OK


def reason(deploy: Deploys, title: str) -> str | None:
    return next(step.reason for step in deploy.runner.recap.steps if step.title == title)


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
