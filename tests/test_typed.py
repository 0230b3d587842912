"""A deploy happens only where somebody typed it."""

from __future__ import annotations

import pytest

from tests.inner import Project

TARGET = "--deploy-to=staging"


def refused(project: Project, *arguments: str) -> str:
    result = project.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    return result.stderr.str()


def test_from_an_ini_file_it_is_refused(project: Project) -> None:
    project.write("other.ini", f"[pytest]\naddopts = -p no:django {TARGET}\n")

    assert "--deploy-to=staging was not typed: it comes from addopts in other.ini" in refused(
        project, "-c", "other.ini"
    )


def test_from_the_environment_it_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", TARGET)

    assert "it comes from PYTEST_ADDOPTS in the environment" in refused(project)


def test_from_addopts_on_the_command_line_it_is_refused(project: Project) -> None:
    assert "it comes from addopts, set with -o" in refused(project, "-o", f"addopts=-p no:django {TARGET}")


def test_from_a_file_of_arguments_it_is_refused(project: Project) -> None:
    project.write("arguments", f"{TARGET}\n")

    assert "it comes from the file arguments" in refused(project, "@arguments")


def test_from_a_conftest_it_is_refused(project: Project) -> None:
    project.write("conftest.py", "def pytest_cmdline_main(config): config.option.deploy_to = 'staging'\n")

    assert "it comes from a plugin or a conftest.py" in refused(project)


@pytest.mark.parametrize("typed", [[TARGET], ["--deploy-to", "staging"]])
def test_typed_it_counts_in_both_forms(project: Project, typed: list[str]) -> None:

    result = project.run("--collect-only", "-q", *typed)

    assert result.ret == 0


def test_what_is_typed_wins_over_what_is_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--deploy-to=live")

    result = project.run("--collect-only", TARGET)

    assert result.ret == 0
    result.stdout.fnmatch_lines(["deploy: superlists to staging: *"])
