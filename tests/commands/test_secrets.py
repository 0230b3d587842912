from __future__ import annotations

import getpass
import io
import json
from pathlib import Path

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.server import files
from deploy_plugin.testing import FakeServer
from tests.commands.command import Command
from tests.inner import DEPLOY_TOML, Project

SENTINEL = "s3ntinel-value"
NEXT = "What serves has not got it yet. The next deploy makes a new release of it: pytest --deploy-to=staging\n"


def pipe(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def kept(server: FakeServer) -> dict[str, str]:
    text = env_file(server).read_text()
    return dict(line.split("=", 1) for line in text.splitlines())


def env_file(server: FakeServer) -> Path:
    return server.home / "deploy" / "superlists" / ".env"


def declare(project: Project) -> None:
    """Let deploy.toml name a secret of each kind."""
    sources = 'KEY = { generate = 50 }\nMAIL = { from_env = "MAIL" }\nAPI = { command = ["op", "read"] }\n'
    project.write("deploy.toml", DEPLOY_TOML.replace("KEY = { generate = 50 }\n", sources))


def test_names_are_listed_with_their_sources_and_never_a_value(
    deployed: FakeServer, project: Project, command: Command
) -> None:
    declare(project)
    assert command("secrets", "staging", "list") == 0
    assert [line.split(maxsplit=1) for line in command.out.splitlines()] == [
        ["API", "command op     not there yet"],
        ["KEY", "generate"],
        ["MAIL", "from_env MAIL  not there yet"],
    ]
    command("secrets", "staging", "list", "--json")
    assert json.loads(command.out)[1] == {"name": "KEY", "source": "generate", "kept": True}
    assert kept(deployed)["KEY"] not in command.out


def test_a_value_is_read_from_stdin_and_kept_for_the_deploy_user_only(
    deployed: FakeServer, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kept(deployed)
    pipe(monkeypatch, f" {SENTINEL}=x \n".encode())
    assert command("secrets", "staging", "set", "EMAIL_PASSWORD") == 0
    assert kept(deployed) == {**before, "EMAIL_PASSWORD": f" {SENTINEL}=x "}
    assert env_file(deployed).stat().st_mode & 0o777 == 0o600
    assert command.out == (
        "EMAIL_PASSWORD: a new value is kept on staging.\n"
        "deploy.toml does not name EMAIL_PASSWORD; the app gets it all the same.\n" + NEXT
    )


def test_on_a_terminal_it_is_asked_for_without_an_echo(
    deployed: FakeServer, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr(getpass, "getpass", lambda prompt: f"{SENTINEL} for {prompt}")
    assert command("secrets", "staging", "set", "KEY") == 0
    assert kept(deployed) == {"KEY": f"{SENTINEL} for KEY: "}
    assert SENTINEL not in command.out + command.err


def test_a_secret_may_be_set_before_the_first_deploy(
    deployable: Project, server: FakeServer, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, SENTINEL.encode())
    assert command("secrets", "staging", "set", "KEY") == 0
    assert deployable.run("--deploy-to=staging").ret == 0
    assert kept(server) == {"KEY": SENTINEL}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "There was no value for KEY on stdin"),
        (b"\n", "There was no value for KEY on stdin"),
        (b"s3ntinel\nmore", "more than one line"),
        (b"s3ntinel\r\n", "more than one line"),
        ("s3ntinel\u2028more".encode(), "more than one line"),
        (b"s3ntinel\0", "more than one line"),
        (b"s3ntinel\xff", "not text in UTF-8"),
    ],
)
def test_a_value_that_an_env_file_can_not_hold_is_refused_and_contacts_nothing(
    command: Command, monkeypatch: pytest.MonkeyPatch, content: bytes, why: str
) -> None:
    pipe(monkeypatch, content)
    assert command("secrets", "staging", "set", "KEY") == 4
    assert why in command.err
    assert "s3ntinel" not in command.out + command.err


@pytest.mark.parametrize("name", ["A B", "1A", "A=B", "", "A\nB"])
def test_a_name_that_no_environment_takes_is_refused(command: Command, name: str) -> None:
    assert command("secrets", "staging", "set", name) == 4
    assert "can't be the name of an environment variable" in command.err


@pytest.mark.parametrize(("name", "source"), [("MAIL", "from_env MAIL"), ("API", "command op")])
def test_what_the_next_deploy_would_undo_is_refused(project: Project, command: Command, name: str, source: str) -> None:
    declare(project)
    assert command("secrets", "staging", "set", name) == 4
    assert f"{name} comes from here ({source} in deploy.toml)" in command.err
    assert command("secrets", "staging", "rotate", name) == 4
    assert f"Generated ones: KEY. To give another a value: pytest-deploy secrets TARGET set {name}" in command.err


def test_a_rotated_secret_is_as_long_as_before_and_makes_a_new_release(
    deployable: Project, deployed: FakeServer, command: Command
) -> None:
    before, serving = kept(deployed)["KEY"], [*deployed.engine.specs]
    assert command("secrets", "staging", "rotate", "KEY") == 0
    after = kept(deployed)["KEY"]
    assert (len(after), after != before) == (50, True)
    assert command.out == f"KEY: a new value is kept on staging.\n{NEXT}"

    assert deployable.run("--deploy-to=staging").ret == 0

    assert kept(deployed)["KEY"] == after
    assert [*deployed.engine.specs] != serving


def test_if_one_can_not_be_rotated_none_is(deployed: FakeServer, command: Command) -> None:
    before = kept(deployed)
    assert command("secrets", "staging", "rotate", "KEY", "NOSUCH") == 4
    assert "NOSUCH is not generated, so it can't be rotated (not in deploy.toml)." in command.err
    assert kept(deployed) == before


def test_the_value_that_is_there_changes_nothing(
    deployed: FakeServer, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe(monkeypatch, kept(deployed)["KEY"].encode())
    deployed.journal.clear()
    assert command("secrets", "staging", "set", "KEY") == 0
    assert command.out == "KEY has that value already on staging; nothing was changed.\n"
    assert deployed.journal == []


def test_on_a_live_target_it_says_so(deployed: FakeServer, command: Command) -> None:
    assert command("secrets", "live", "rotate", "KEY") == 0
    assert command.out.startswith("KEY: a new value is kept on live (LIVE).\n")
    assert deployed.journal


def test_a_server_that_remembers_to_be_live_says_so(deployed: FakeServer, command: Command) -> None:
    (env_file(deployed).parent / "target.json").write_text('{"app": "superlists", "live": true}')
    assert command("secrets", "staging", "rotate", "KEY") == 0
    assert "on staging (LIVE)" in command.out
    command("status", "staging")
    assert command.out.startswith("staging (LIVE): superlists")


def test_an_error_on_the_way_shows_no_value(
    deployed: FakeServer, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_server: object, _path: object, content: bytes, **_: object) -> None:
        raise StepFailed("It can't be written.", got=content.decode())

    monkeypatch.setattr(files, "write", refused)
    before = kept(deployed)
    assert command("secrets", "staging", "rotate", "KEY") == 30
    assert kept(deployed) == before
    assert command.err == "It can't be written.\n    KEY=********\n"


def test_an_app_without_secrets_says_so(deployable: Project, command: Command) -> None:
    deployable.write("deploy.toml", DEPLOY_TOML.replace("KEY = { generate = 50 }\n", ""))
    assert command("secrets", "staging", "list") == 0
    assert command.out == "superlists has no secrets.\n"
