"""What is refused, and that nothing is contacted before it is known what to run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.inner import Project, said

USAGE = pytest.ExitCode.USAGE_ERROR


def test_an_unknown_target_is_exit_4_and_names_the_known_ones(project: Project) -> None:
    result = project.run("--deploy-to=nosuch")
    assert result.ret == USAGE
    for known in ("'nosuch'", "sandbox", "staging", "live"):
        assert known in said(result)
    assert "Traceback" not in said(result)


def test_a_target_that_is_no_destination_is_exit_4(project: Project) -> None:
    result = project.run("--deploy-to=not a host")
    assert result.ret == USAGE
    assert "[user@]host[:port]" in said(result)


@pytest.mark.parametrize("option", ["--deploy-to=", "--verify-on="])
def test_an_empty_target_is_exit_4_and_not_a_run_without_one(project: Project, option: str) -> None:
    result = project.run(option)
    assert result.ret == USAGE
    assert "this target is '', which is not [user@]host[:port]" in said(result)


def test_a_named_target_without_a_host_is_exit_4_with_its_line(project: Project) -> None:
    project.write("deploy.toml", "[app]\nname = 'x'\n[targets.staging]\nlive = false\n")
    result = project.run("--deploy-to=staging")
    assert result.ret == USAGE
    assert "deploy.toml:3: targets.staging names no host" in said(result)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[app\n", "deploy.toml is not valid TOML: Expected ']' at the end of a table declaration (at line 1"),
        ("[app]\nport = '80'\n", "deploy.toml:2: app.port must be a whole number, not '80'"),
        ("[app]\nplatform = 'arm'\n", "deploy.toml:2: app.platform must be like \"linux/amd64\", not 'arm'"),
        ("targets = 1\n", "deploy.toml:1: targets must be a table, not 1"),
        ("[targets.a]\nhost = 'a.com'\n", "deploy.toml names targets, but no app."),
    ],
)
def test_what_the_file_should_not_say_is_exit_4(project: Project, text: str, words: str) -> None:
    project.write("deploy.toml", text)
    result = project.run("--deploy-to=staging.example.com")
    assert result.ret == USAGE
    assert words in said(result)


@pytest.mark.parametrize("target", ["staging", "elspeth@other.example.com", "sandbox"])
@pytest.mark.usefixtures("sandboxes")
def test_no_ssh_on_this_machine_is_exit_4(project: Project, monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    monkeypatch.setenv("PATH", str(project.pytester.path))
    result = project.run(f"--deploy-to={target}")
    assert result.ret == USAGE
    assert "There is no ssh" in said(result)
    assert "openssh-client" in said(result)


@pytest.mark.parametrize("path", ["recap.json", "new/recap.json"])
def test_a_refused_run_leaves_no_recap_of_an_earlier_one(project: Project, path: str) -> None:
    project.write(path, "{}")
    assert project.run("--deploy-to=nosuch", f"--deploy-json={path}").ret == USAGE
    assert not (project.pytester.path / path).exists()


@pytest.mark.parametrize(
    ("path", "why"), [("infra_tests", "Is a directory"), ("Dockerfile/recap.json", "Dockerfile is no folder"), ("", "")]
)
def test_a_recap_that_can_not_be_written_is_exit_4(project: Project, path: str, why: str) -> None:
    result = project.run("--deploy-to=staging", f"--deploy-json={path}")
    assert result.ret == USAGE
    assert f"can't be written: {why}" in said(result)


def test_both_options_are_exit_4(project: Project) -> None:
    result = project.run("--deploy-to=staging", "--verify-on=staging")
    assert result.ret == USAGE
    assert "--verify-on" in said(result)


def test_a_mistake_in_the_file_is_exit_4_with_its_line(project: Project) -> None:
    project.write("deploy.toml", "[app]\nheatlh = '/'\n")
    result = project.run("--deploy-to=staging.example.com")
    assert result.ret == USAGE
    assert "deploy.toml:2: app.heatlh is not a key of [app]; did you mean 'health'?" in said(result)


@pytest.mark.parametrize("option", ["--ssh-config", "--ssh-identity-file"])
def test_a_file_for_ssh_that_is_not_there_is_exit_4_and_leaves_nothing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(os.listdir(tmp_path))  # noqa: PTH208 - names are enough
    result = project.run("--deploy-to=staging", f"{option}=nosuch")
    assert result.ret == USAGE
    assert f"{option}=nosuch: there is no such file" in said(result)
    assert set(os.listdir(tmp_path)) == before  # noqa: PTH208


def test_a_targets_own_ssh_config_that_is_not_there_is_exit_4_with_its_line(project: Project) -> None:
    project.write("deploy.toml", "[app]\nname = 'x'\n[targets.staging]\nhost = 'web'\nssh_config = 'nosuch'\n")
    result = project.run("--deploy-to=staging")
    assert result.ret == USAGE
    assert "deploy.toml:5: targets.staging.ssh_config" in said(result)


def test_no_dockerfile_is_exit_4(project: Project) -> None:
    (project.pytester.path / "Dockerfile").unlink()
    result = project.run("--deploy-to=staging")
    assert result.ret == USAGE
    assert "There is no Dockerfile" in said(result)


def test_a_secret_that_is_missing_here_is_one_error_and_exit_4(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    project.write("deploy.toml", "[app]\nname = 'x'\n[app.secrets]\nMAIL = { from_env = 'MAIL_PASSWORD' }\n")
    result = project.run("--deploy-to=staging.example.com")
    assert result.ret == USAGE
    result.assert_outcomes(errors=1)
    assert "export MAIL_PASSWORD" in said(result)


def test_nothing_to_verify_with_is_exit_4_and_says_which_folders(project: Project) -> None:
    for folder in ("infra_tests", "functional_tests"):
        (project.pytester.path / folder).rename(project.pytester.path / f"no_{folder}")
    result = project.run("--deploy-to=staging")
    assert result.ret == USAGE
    assert "infra_tests, functional_tests" in said(result)
    assert "deploy_testpaths" in said(result)


@pytest.mark.parametrize("more", [(), ("-n2",)])
def test_a_collection_error_stops_before_anything_is_contacted(project: Project, more: tuple[str, ...]) -> None:
    project.write("infra_tests/test_broken.py", "import nosuch_module\n")
    result = project.run("--deploy-to=staging", *more)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert "nosuch_module" in said(result)
    assert "INTERNALERROR" not in said(result)


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan"])
def test_looking_contacts_nothing(project: Project, option: str) -> None:
    result = project.run("--deploy-to=staging", option)
    assert result.ret == pytest.ExitCode.OK
    assert "test_functional" in said(result)


@pytest.mark.parametrize("more", [(), ("-n2",)])
def test_an_empty_selection_contacts_nothing(project: Project, more: tuple[str, ...]) -> None:
    result = project.run("--deploy-to=staging", "-k", "nothing_is_named_so", *more)
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "INTERNALERROR" not in said(result)


def test_without_a_target_nothing_is_different(project: Project) -> None:
    project.write("unit/test_unit.py", "def test_it(deployment): pass\ndef test_other(): pass\n")
    result = project.run()
    result.assert_outcomes(passed=3, skipped=1)
    assert "deploy:" not in said(result)


def test_a_test_that_wants_a_deployment_is_skipped_with_what_to_add(project: Project) -> None:
    project.write("unit/test_unit.py", "def test_it(manage_py): pass\n")
    result = project.run("unit", "-rs")
    result.assert_outcomes(skipped=1)
    assert "--deploy-to=TARGET" in said(result)
