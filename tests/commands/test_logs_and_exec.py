from __future__ import annotations

import re

import pytest

from deploy_plugin.testing import FakeEngine, FakeServer
from tests.commands.command import Command
from tests.inner import Project

DOCKER = """
[ "$1 $2" = "exec --interactive" ] || exit 99
shift 3
echo "ran: $*"
echo "err" >&2
exit 7
"""


@pytest.fixture
def container(deployed: FakeServer) -> str:
    deployed.install("docker", DOCKER)
    return next(iter(deployed.engine.specs))


def secret(server: FakeServer) -> str:
    text = (server.home / "deploy" / "superlists" / ".env").read_text()
    found = re.search(r"KEY=(\w{50})", text)
    assert found
    return found[1]


def write_log(engine: FakeEngine, container: str, log: str) -> None:
    engine._logs[container] = log  # noqa: SLF001 - as if the app had written it


@pytest.mark.parametrize("follow", [(), ("--follow",)])
def test_the_end_of_the_log_is_shown_without_secrets(
    deployed: FakeServer, container: str, command: Command, follow: tuple[str, ...]
) -> None:
    write_log(deployed.engine, container, f"one\ntwo\nKEY is {secret(deployed)}!\n")
    assert command("logs", "staging", "--lines=2", *follow) == 0
    assert command.out == "two\nKEY is ********!\n"
    assert command.err == (f"{container} ended.\n" if follow else "")


def test_ctrl_c_ends_following_quietly(
    deployed: FakeServer, container: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(deployed.engine, "follow", interrupted)
    assert command("logs", "staging", "--follow") == 130
    assert command.out + command.err == ""
    assert container


def test_the_log_of_one_that_ended_can_be_read(deployed: FakeServer, container: str, command: Command) -> None:
    write_log(deployed.engine, container, "Traceback")
    deployed.engine.stop(container)
    assert command("logs", "staging") == 0
    assert command.out == "Traceback\n"


def test_the_log_of_another_release_is_found_by_its_id(deployed: FakeServer, container: str, command: Command) -> None:
    write_log(deployed.engine, container, "of this one")
    assert command("logs", "staging", f"--release={container.removeprefix('superlists-')}") == 0
    assert command.out == "of this one\n"
    assert command("logs", "staging", "--release=nosuch") == 30
    assert "There is no container of the release nosuch on staging." in command.err


def test_a_number_of_lines_that_is_none_is_a_sentence(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command("logs", "staging", "--lines=all")
    assert "'all' is no number of lines" in capsys.readouterr().err


def test_a_command_s_streams_and_exit_code_are_passed_through(
    deployed: FakeServer, container: str, command: Command
) -> None:
    assert command("exec", "staging", "--", "ls", "-l", "--", "a b") == 7
    assert command.out == f"ran: {container} ls -l -- a b\n".replace(f"{container} ", "")
    assert command.err == "err\n"
    assert deployed.journal


def test_a_management_command_needs_no_python(deployed: FakeServer, container: str, command: Command) -> None:
    assert command("exec", "--manage", "staging", "migrate", "--check") == 7
    assert command.out == "ran: python manage.py migrate --check\n"
    assert container
    assert deployed.journal


def test_a_command_that_is_missing_is_a_sentence(command: Command) -> None:
    assert command("exec", "staging", "--") == 4
    assert command.err == "No command was given.\nExample: pytest-deploy exec staging -- ls -l\n"


@pytest.mark.parametrize("line", [("logs", "staging"), ("exec", "staging", "--", "true")])
def test_where_nothing_serves_it_says_what_to_do(deployable: Project, command: Command, line: tuple[str, ...]) -> None:
    assert command(*line) == 30
    assert command.err == "No release of superlists serves on staging.\nDeploy first: pytest --deploy-to=staging\n"
    assert deployable.connected == []


def test_no_command_runs_in_one_that_ended(deployed: FakeServer, container: str, command: Command) -> None:
    deployed.engine.stop(container)
    assert command("exec", "staging", "--", "true") == 30
    assert "No release of superlists serves" in command.err
