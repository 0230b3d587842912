"""What can't be taken over is left as it is, and a sentence says why."""

from __future__ import annotations

from pathlib import PurePosixPath

from deploy_plugin.testing import FakeServer
from tests.commands.command import Command
from tests.commands.elsewhere import TOML, folder, is_another, is_as_it_was, refused
from tests.inner import Project
from tests.site import Site


def test_where_no_container_serves_there_is_none_to_take_over(command: Command, old: FakeServer) -> None:
    old.engine.stop("superlists")
    assert "No container serves on port 80 of staging, so there is none to take over." in refused(command, old)
    is_another(old, publish=81)
    assert "superlists runs, and publishes another port" in refused(command, old)


def test_another_database_than_sqlite_is_left_where_it_is(command: Command, old: FakeServer, site: Site) -> None:
    site.described = {"vendor": "postgresql", "database": ""}
    assert "superlists keeps its data in postgresql, not in SQLite" in refused(command, old)


def test_a_site_that_is_no_django_is_a_sentence(command: Command, old: FakeServer, site: Site) -> None:
    site.described = {"fails": "No module named django"}
    assert "Asking superlists what it runs with could not be done: exit code 1." in refused(command, old)


def test_another_port_than_deploy_toml_says_is_told(command: Command, old: FakeServer) -> None:
    is_another(old, port=8000)
    assert "Take it over with port = 8000 in deploy.toml." in refused(command, old)


def test_a_folder_that_it_writes_to_has_to_be_a_volume(command: Command, old: FakeServer) -> None:
    is_another(old, mounts={PurePosixPath("/srv/media"): PurePosixPath("/media")})
    said = refused(command, old)
    assert "superlists writes to /media (/srv/media on the server), and deploy.toml does not know it." in said
    assert 'volumes = { media = "/media" }' in said


def test_what_lies_beside_the_database_is_not_forgotten(command: Command, old: FakeServer, site: Site) -> None:
    site.described = {"beside": ["uploads"]}
    is_another(old, mounts={PurePosixPath("/srv/data"): PurePosixPath("/home/nonroot")})
    assert "Beside its database superlists keeps uploads in /home/nonroot" in refused(command, old)


def test_a_name_that_the_mounted_folder_would_hide_is_told(command: Command, old: FakeServer, site: Site) -> None:
    site.described = {"named": "/data/lists.sqlite3"}
    assert 'Let [database] say path = "/data/lists.sqlite3".' in refused(command, old)


def test_a_setting_of_several_lines_is_told(command: Command, old: FakeServer) -> None:
    is_another(old, env={"PEM": "one\ntwo"})
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
