"""A site that somebody else deployed is taken over, or left as it is."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest

from deploy_plugin.testing import FakeServer
from tests.commands.command import Command, be_live, on_a_terminal
from tests.commands.elsewhere import KEY, TOML, asked, folder, is_another, is_as_it_was
from tests.inner import Project
from tests.site import install_docker, running


def test_the_old_site_serves_as_a_release_of_ours_with_its_data_and_its_key(command: Command, old: FakeServer) -> None:
    assert command("adopt", "staging", "--yes") == 0

    (name,) = running(old)
    spec = old.engine.specs[name]
    data = folder(old) / "data"
    assert name.endswith("-adopted")
    assert (spec.labels["deploy.role"], spec.publish, spec.stays) == ("serving", 80, True)
    assert dict(spec.mounts) == {PurePosixPath(data): PurePosixPath("/data")}
    assert str(spec.env["OLD_KEY"]) == "********"
    assert (data / "db.sqlite3").read_bytes() == b"old rows"
    assert (folder(old) / ".env").read_text() == f"DJANGO_SECRET_KEY={KEY}\n"
    assert old.engine.links == {PurePosixPath("/home/nonroot/db.sqlite3"): PurePosixPath("/data/db.sqlite3")}
    assert f"superlists:{spec.image.partition(':')[2]}" in old.engine.images
    for said in ("sessions   stay", "secret     DJANGO_SECRET_KEY: as it is there", "Nobody answered for"):
        assert said in command.out
    assert KEY not in command.out + command.err


def test_nothing_of_what_was_there_is_removed(command: Command, old: FakeServer) -> None:
    assert command("adopt", "staging", "--yes") == 0
    assert old.engine.container("superlists") is not None
    assert (old.home / "db.sqlite3").read_bytes() == b"old rows"
    (release,) = (folder(old) / "releases").glob("*.json")
    told = json.loads((folder(old) / "adopted.json").read_text())
    assert (told["container"], told["release"]) == ("superlists", release.stem)
    assert (folder(old) / "snapshots" / f"db-{release.stem}.sqlite3").read_bytes() == b"old rows"
    # It does not come back with the next start of Docker, to serve an old copy.
    assert asked(old)[-1] == "update --restart=no superlists"
    assert not [*folder(old).glob("adopting*"), *folder(old).glob("rehearsal")]


def test_a_deploy_comes_next_and_the_port_goes_over(command: Command, old: FakeServer, project: Project) -> None:
    assert command("adopt", "staging", "--yes") == 0
    (adopted,) = running(old)
    install_docker(old)
    assert project.run("--deploy-to=staging").ret == 0
    (new,) = running(old)
    assert new != adopted
    assert (folder(old) / ".env").read_text() == f"DJANGO_SECRET_KEY={KEY}\n"
    assert command("adopt", "staging", "--yes") == 30
    assert "superlists is on staging already, deployed by pytest-deploy: there is nothing to take over." in command.err


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 30)])
def test_it_asks(command: Command, old: FakeServer, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    on_a_terminal(monkeypatch, answer)
    assert command("adopt", "staging") == code
    assert "Do it? [y/N]" in command.err
    assert is_as_it_was(old) == (code != 0)


def test_where_nobody_can_be_asked_it_says_what_it_would_do(
    command: Command, old: FakeServer, project: Project
) -> None:
    be_live(project)
    assert command("adopt", "staging") == 30
    assert "adopt superlists on staging (LIVE):" in command.out
    assert "Say so with --yes." in command.err
    assert is_as_it_was(old)
    assert [path.name for path in folder(old).iterdir()] == ["lease"]


# Until then a deploy stops


def test_a_deploy_stops_and_names_what_it_found(old: FakeServer, project: Project) -> None:
    (old.home / "superlists.env").write_text("")
    run = project.run("--deploy-to=staging")
    assert run.ret == 30
    traces = "the container superlists, ~/db.sqlite3, ~/superlists.env"
    run.stdout.fnmatch_lines([f"superlists was deployed to staging by other means: {traces}. Nothing was changed."])
    run.stdout.fnmatch_lines(["*: pytest-deploy adopt staging"])
    assert is_as_it_was(old)


def test_files_alone_stop_it_too_and_can_be_passed_by(deployable: Project, server: FakeServer) -> None:
    (server.home / ".secret-key").write_text("key")
    run = deployable.run("--deploy-to=staging")
    assert run.ret == 30
    run.stdout.fnmatch_lines(["*by other means: ~/.secret-key. Nothing was changed."])
    assert deployable.run("--deploy-to=staging", "--deploy-first").ret == 0
    assert deployable.run("--deploy-to=staging").ret == 0


def test_whoever_else_holds_the_port_may_be_it(old: FakeServer, project: Project) -> None:
    (old.home / "db.sqlite3").unlink()
    is_another(old, name="web")
    run = project.run("--deploy-to=staging")
    run.stdout.fnmatch_lines(["*by the container web.*", "If it is superlists, *: pytest-deploy adopt staging"])


def test_a_volume_comes_along(command: Command, old: FakeServer, project: Project) -> None:
    project.write("deploy.toml", TOML.replace("[app.secrets]", 'volumes = { media = "/media" }\n[app.secrets]'))
    is_another(old, mounts={PurePosixPath("/srv/media"): PurePosixPath("/media")})
    assert command("adopt", "staging", "--yes") == 0
    assert f"cp superlists:/media/. {folder(old)}/media/" in asked(old)
