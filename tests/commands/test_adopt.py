"""A site that somebody else deployed is taken over, or left as it is."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.adoption import mark, takeover
from deploy_plugin.errors import StepFailed
from deploy_plugin.server.engine import ContainerSpec
from deploy_plugin.testing import FakeServer
from tests.commands.conftest import Command
from tests.commands.test_restore import be_live, on_a_terminal
from tests.inner import DEPLOY_TOML, Project
from tests.site import Site, install_docker, running

TOML = DEPLOY_TOML.replace("KEY =", "DJANGO_SECRET_KEY =")
KEY = "the key of the old site"
# $log: what was asked for. The database is "old rows", and has no journal.
DOCKER = """
echo "$1 $2 $3" | head -n 1 >> {log}
case "$1 $3" in
"exec python") echo digest ;;
"exec cat") printf "old rows" ;;
esac
if [ "$1" = cp ]; then
    case $3 in
    *-wal | *-journal) echo "Error: No such container:path: $3" >&2; exit 1 ;;
    esac
    [ -z "$4" ] || printf "old rows" > "$4"
fi
"""
OLD = ContainerSpec(
    name="superlists",
    image="superlists",
    env={"OLD_KEY": KEY, "DJANGO_DB_PATH": "/home/nonroot/db.sqlite3"},
    port=8888,
    publish=80,
)


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeover, "PATIENCE", 0.0)


@pytest.fixture
def old(deployable: Project, server: FakeServer, site: Site) -> FakeServer:
    """A server on which somebody else's container serves."""
    deployable.write("deploy.toml", TOML)
    site.key = KEY
    server.engine.add_image("superlists")
    server.install("docker", DOCKER.format(log=server.home.parent / "log"))
    server.install("sha256sum", "cat")
    for name in ("head", "sleep"):
        server.install(name, f'exec {shutil.which(name)} "$@"')
    database = server.home / "db.sqlite3"
    database.write_bytes(b"old rows")
    server.engine.start(replace(OLD, mounts={PurePosixPath(database): PurePosixPath("/home/nonroot/db.sqlite3")}))
    return server


def asked(server: FakeServer) -> list[str]:
    """What the docker command on the server was asked for."""
    log = server.home.parent / "log"
    return [line.strip() for line in log.read_text().splitlines()] if log.exists() else []


def folder(server: FakeServer) -> Path:
    return server.home / "deploy" / "superlists"


def is_as_it_was(server: FakeServer) -> bool:
    assert (server.home / "db.sqlite3").read_bytes() == b"old rows"
    return running(server) == {"superlists"} and not (folder(server) / "data" / "db.sqlite3").exists()


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
    old.engine.remove("superlists")
    old.engine.start(replace(OLD, name="web"))
    run = project.run("--deploy-to=staging")
    run.stdout.fnmatch_lines(["*by the container web.*", "If it is superlists, *: pytest-deploy adopt staging"])


# What is refused


def refused(command: Command, server: FakeServer) -> str:
    before = running(server)
    assert command("adopt", "staging", "--yes") == 30
    assert running(server) == before
    assert not (folder(server) / "data" / "db.sqlite3").exists()
    return command.err


def test_where_no_container_serves_there_is_none_to_take_over(command: Command, old: FakeServer) -> None:
    old.engine.stop("superlists")
    assert "No container serves on port 80 of staging, so there is none to take over." in refused(command, old)
    old.engine.remove("superlists")
    old.engine.start(replace(OLD, publish=81))
    assert "superlists runs, and publishes another port" in refused(command, old)


def test_another_database_than_sqlite_is_left_where_it_is(command: Command, old: FakeServer, site: Site) -> None:
    site.described = {"vendor": "postgresql", "database": ""}
    assert "superlists keeps its data in postgresql, not in SQLite" in refused(command, old)


def test_a_site_that_is_no_django_is_a_sentence(command: Command, old: FakeServer, site: Site) -> None:
    site.described = {"fails": "No module named django"}
    assert "Asking superlists what it runs with could not be done: exit code 1." in refused(command, old)


def test_another_port_than_deploy_toml_says_is_told(command: Command, old: FakeServer) -> None:
    old.engine.remove("superlists")
    old.engine.start(replace(OLD, port=8000))
    assert "Take it over with port = 8000 in deploy.toml." in refused(command, old)


def test_a_folder_that_it_writes_to_has_to_be_a_volume(command: Command, old: FakeServer) -> None:
    old.engine.remove("superlists")
    old.engine.start(replace(OLD, mounts={PurePosixPath("/srv/media"): PurePosixPath("/media")}))
    said = refused(command, old)
    assert "superlists writes to /media (/srv/media on the server), and deploy.toml does not know it." in said
    assert 'volumes = { media = "/media" }' in said


def test_what_lies_beside_the_database_is_not_forgotten(command: Command, old: FakeServer, site: Site) -> None:
    site.described = {"beside": ["uploads"]}
    old.engine.remove("superlists")
    old.engine.start(replace(OLD, mounts={PurePosixPath("/srv/data"): PurePosixPath("/home/nonroot")}))
    assert "Beside its database superlists keeps uploads in /home/nonroot" in refused(command, old)


def test_a_name_that_the_mounted_folder_would_hide_is_told(command: Command, old: FakeServer, site: Site) -> None:
    site.described = {"named": "/data/lists.sqlite3"}
    assert 'Let [database] say path = "/data/lists.sqlite3".' in refused(command, old)


def test_a_setting_of_several_lines_is_told(command: Command, old: FakeServer) -> None:
    old.engine.remove("superlists")
    old.engine.start(replace(OLD, env={"PEM": "one\ntwo"}))
    assert "superlists has a setting of several lines, PEM, which an env file can't hold." in refused(command, old)


def test_a_database_that_is_there_already_is_not_replaced(command: Command, old: FakeServer) -> None:
    data = folder(old) / "data"
    data.mkdir(parents=True)
    (data / "db.sqlite3").write_bytes(b"whose?")
    assert command("adopt", "staging", "--yes") == 30
    assert "There is a database already in" in command.err
    assert (data / "db.sqlite3").read_bytes() == b"whose?"


def test_an_app_without_a_database_is_told_to_name_it(command: Command, old: FakeServer, project: Project) -> None:
    project.write("deploy.toml", TOML.replace("[database]", "[verify]").replace("path =", "export_env ="))
    assert command("adopt", "staging", "--yes") == 4
    assert "superlists has no database of which deploy.toml knows." in command.err
    assert is_as_it_was(old)


def test_a_key_that_is_no_secret_is_said_to_end_the_sessions(command: Command, old: FakeServer, site: Site) -> None:
    site.key = "written into its settings"
    assert command("adopt", "staging") == 30
    assert is_as_it_was(old)
    assert "sessions   END: their key is none of the secrets" in command.out
    assert "secret     DJANGO_SECRET_KEY: not there, will be generated" in command.out


# What fails on the way


def test_a_database_that_can_not_be_copied_is_left(command: Command, old: FakeServer) -> None:
    old.install("docker", '[ "$1 $3" != "exec python" ] || { echo "database disk image is malformed" >&2; exit 1; }')
    said = refused(command, old)
    assert "No snapshot of superlists's database could be taken, so nothing was changed." in said
    assert "database disk image is malformed" in said


def test_a_database_that_can_not_be_taken_out_puts_the_old_one_back(command: Command, old: FakeServer) -> None:
    docker = DOCKER.format(log=old.home.parent / "log")
    old.install("docker", f'{docker}\n[ "$1" != cp ] || {{ echo "no space left on device" >&2; exit 1; }}')
    assert command("adopt", "staging", "--yes") == 30
    assert "The database can't be copied out of superlists." in command.err
    assert asked(old)[-1] == "start superlists"


def test_a_volume_comes_along(command: Command, old: FakeServer, project: Project) -> None:
    project.write("deploy.toml", TOML.replace("[app.secrets]", 'volumes = { media = "/media" }\n[app.secrets]'))
    old.engine.remove("superlists")
    old.engine.start(replace(OLD, mounts={PurePosixPath("/srv/media"): PurePosixPath("/media")}))
    assert command("adopt", "staging", "--yes") == 0
    assert f"cp superlists:/media/. {folder(old)}/media/" in asked(old)


def test_one_that_does_not_run_as_ours_do_is_found_out_on_a_copy(command: Command, old: FakeServer) -> None:
    old.engine.dies("*-candidate", log="read-only file system")
    said = refused(command, old)
    assert "does not run as a release of ours." in said
    assert "read-only file system" in said
    assert is_as_it_was(old)
    assert "start superlists" not in " ".join(asked(old))  # it was never stopped


def test_one_that_answers_in_another_way_on_a_copy_is_left(command: Command, old: FakeServer, site: Site) -> None:
    old.engine.site = lambda spec, *_: 200 if spec.name == "superlists" else 500
    assert "does not answer as superlists does, which says 200. /health answers 500." in refused(command, old)
    old.engine.site = site.answer
    site.wrong_copy = True
    assert "As a release of ours superlists would use" in refused(command, old)
    assert is_as_it_was(old)


@pytest.mark.parametrize("call", ["stop superlists", "run_once *-compare"])
def test_whatever_fails_the_old_one_is_put_back(command: Command, old: FakeServer, call: str) -> None:
    old.engine.fail(call, StepFailed("Docker could not do it."))
    assert command("adopt", "staging", "--yes") == 30
    log = asked(old)
    assert log[-1] == "start superlists"
    assert log[-2].startswith("rm -f superlists-")
    assert not (folder(old) / "data" / "db.sqlite3").exists()
    assert not [*folder(old).glob("adopting*"), *(folder(old) / "releases").iterdir()]


def test_rows_that_differ_put_the_old_one_back(command: Command, old: FakeServer, site: Site) -> None:
    site.difference = {"lists_item": (0, 1)}
    assert command("adopt", "staging", "--yes") == 30
    assert "The database that was moved is not the one that was there." in command.err
    assert asked(old)[-1] == "start superlists"


def test_one_that_docker_does_not_start_puts_the_old_one_back(command: Command, old: FakeServer) -> None:
    old.engine.fail("start_again *-adopted", StepFailed("port 80 is already allocated"))
    assert command("adopt", "staging", "--yes") == 30
    assert asked(old)[-1] == "start superlists"


def test_one_that_has_the_data_and_does_not_answer_is_exit_31(command: Command, old: FakeServer) -> None:
    old.engine.site = lambda spec, *_: 500 if spec.name.endswith("-adopted") else 200
    assert command("adopt", "staging", "--yes") == 31
    assert "has the data now, and does not answer as superlists did." in command.err
    assert "start superlists" not in asked(old)  # what was written since is not in its database


def test_a_takeover_that_can_not_be_ended_is_exit_31(command: Command, old: FakeServer) -> None:
    left = folder(old) / "adopting"
    left.parent.mkdir(parents=True)
    left.write_text("superlists\nnew\n/nowhere/db.sqlite3\n/nowhere/new.json\n")
    old.install("docker", "exit 1")
    assert command("adopt", "staging", "--yes") == 31
    assert "A takeover was begun here and can't be ended" in command.err


def test_one_that_was_killed_is_ended_by_the_next(command: Command, old: FakeServer) -> None:
    left = folder(old) / "adopting"
    left.parent.mkdir(parents=True)
    left.write_text(f"superlists\nsuperlists-killed\n{folder(old)}/data/db.sqlite3\n{folder(old)}/releases/k.json\n")
    assert command("adopt", "staging", "--yes") == 0
    assert asked(old)[:2] == ["rm -f superlists-killed", "start superlists"]
    assert (folder(old) / "data" / "db.sqlite3").read_bytes() == b"old rows"


def test_a_server_that_put_the_old_one_back_by_itself_is_believed(
    command: Command, old: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mark, "_DONE", "exit 1")
    assert command("adopt", "staging", "--yes") == 30
    assert "The server put the old container back meanwhile." in command.err
    assert not (folder(old) / "data" / "db.sqlite3").exists()
