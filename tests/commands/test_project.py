"""A command sees what pytest sees, and nothing that is meant for test runs gets in its way."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from deploy_plugin.commands import project as project_module
from tests.commands.command import Command
from tests.inner import INI, Project

ADDS_A_TARGET = "def pytest_deploy_targets(config): return {'preview': {'host': 'deploy@preview.example.com'}}\n"


def named(command: Command) -> dict[str, str]:
    assert command("targets", "--json") == 0, command.err
    return {row["name"]: row["named"] for row in json.loads(command.out)}


def test_a_target_of_the_root_conftest_is_there(project: Project, command: Command) -> None:
    project.write("conftest.py", ADDS_A_TARGET)
    assert named(command) == {"preview": "conftest.py", "staging": "deploy.toml:10", "live": "deploy.toml:12"}


def test_a_target_of_a_plugin_that_pytest_ini_loads_is_there(project: Project, command: Command) -> None:
    project.write("ours.py", ADDS_A_TARGET)
    project.write("pytest.ini", INI.replace("addopts =", "pythonpath = .\naddopts = -p ours"))
    assert named(command)["preview"] == "ours"


def test_what_the_file_says_of_a_target_counts_as_in_a_run(project: Project, command: Command) -> None:
    project.write("conftest.py", ADDS_A_TARGET.replace("preview", "staging"))
    assert named(command)["staging"] == "deploy.toml:10"
    command("targets")
    assert "elspeth@staging.example.com" in command.out


def test_a_hook_that_makes_a_target_live_is_asked(project: Project, command: Command) -> None:
    project.write("conftest.py", "def pytest_deploy_is_live(target): return target.name == 'staging'\n")
    command("targets", "--json")
    assert all(row["live"] for row in json.loads(command.out))


@pytest.mark.parametrize(
    "addopts",
    ["--deploy-to=live", "-n2", "--capture=fd -v --color=yes", "-W error", "--strict-markers --strict-config -x"],
)
def test_options_for_test_runs_change_nothing(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch, addopts: str
) -> None:
    names = named(command)
    project.write("pytest.ini", INI.replace("addopts =", f"addopts = {addopts}"))
    assert named(command) == names
    monkeypatch.setenv("PYTEST_ADDOPTS", addopts)
    assert named(command) == names


def test_coverage_in_addopts_does_not_start(
    project: Project, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_module, "find_spec", lambda name: name == "pytest_cov")
    options = "def pytest_addoption(parser): parser.addoption('--no-cov', action='store_true')\n"
    project.write(
        "conftest.py", f"{options}def pytest_deploy_targets(config): return {{str(config.option.no_cov): {{}}}}\n"
    )
    assert "True" in named(command)


def test_a_reader_that_went_away_is_no_traceback(project: Project) -> None:
    project.write("deploy.toml", "[app]\nname = 'a'\n" + "".join(f"[targets.a{n}]\n" for n in range(9)))
    line = f"{sys.executable} -m deploy_plugin.cli targets | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")


def test_warnings_as_errors_do_not_stop_it(project: Project) -> None:
    project.write("pytest.ini", f"{INI}filterwarnings = error\n")
    done = subprocess.run(
        [sys.executable, "-m", "deploy_plugin.cli", "targets"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_a_conftest_prints_is_not_mixed_with_what_was_asked_for(project: Project, command: Command) -> None:
    project.write("conftest.py", "print('hello')\n")
    assert "live" in named(command)
    assert command.err == "hello\n"


def test_a_broken_conftest_is_pytest_s_own_report(project: Project, command: Command) -> None:
    project.write("conftest.py", "import nosuchmodule\n")
    assert command("targets") == 4
    assert "conftest.py" in command.err
    assert "No module named 'nosuchmodule'" in command.err
    assert "deploy_plugin" not in command.err


def test_no_test_is_collected(project: Project, command: Command) -> None:
    project.write("infra_tests/test_infra.py", "raise AssertionError\n")
    assert command("targets") == 0
    assert "collected" not in command.out + command.err


def test_an_unknown_target_is_a_sentence_and_contacts_nothing(command: Command) -> None:
    assert command("logs", "stagign") == 4
    assert command.out == ""
    assert "unknown target 'stagign'" in command.err
    assert "Known targets: sandbox, sandbox:NAME, staging, live" in command.err


def test_a_malformed_file_is_a_sentence(project: Project, command: Command) -> None:
    project.write("deploy.toml", "[targets.staging]\nhots = 'a'\n")
    assert command("targets") == 0
    assert "deploy.toml:2: targets.staging.hots is not a key" in command.out
    assert command("secrets", "staging", "list") == 4
    assert "did you mean 'host'?" in command.err


def test_an_ssh_configuration_is_taken_as_pytest_takes_it(command: Command) -> None:
    assert command("logs", "--ssh-config=nosuch", "deploy@example.com") == 4
    assert "--ssh-config=nosuch: there is no such file." in command.err


@pytest.mark.parametrize("line", ["--help", "sandbox list --help", "status --help", "secrets staging set --help"])
def test_help_is_there_without_pytest_and_docker(line: str) -> None:
    code = (
        "import sys; from deploy_plugin import cli\n"
        f"try: cli.main({line.split()})\n"
        "except SystemExit: print({'pytest', 'docker'} & {*sys.modules})"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).endswith("set()\n")
