"""``[verify] export_env``: suites that read the environment learn where the target is."""

from __future__ import annotations

import os

import pytest

from deploy_plugin.testing import FakeServer
from tests.inner import DEPLOY_TOML, Project, said

# Read while the file is imported, as such suites may do.
READS_IT = """
import os

HOST = os.environ.get("TEST_SERVER", "none")

def test_it():
    assert HOST == {host!r}
"""


def ask_for(project: Project, name: str, host: str = "none") -> None:
    project.write("deploy.toml", f'{DEPLOY_TOML}[targets.odd]\nhost = "odd.example.com"\npublish = 8080\n{name}')
    project.write("functional_tests/test_functional.py", READS_IT.format(host=host))


@pytest.fixture(autouse=True)
def _nothing_is_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_SERVER", raising=False)


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_tests_find_the_targets_host_in_the_environment(deployable: Project, workers: str) -> None:
    ask_for(deployable, '[verify]\nexport_env = "TEST_SERVER"\n', host="staging.example.com")
    deployable.run("--deploy-to=staging", workers).assert_outcomes(passed=2)
    deployable.run("--verify-on=staging", workers).assert_outcomes(passed=2)
    assert "TEST_SERVER" not in os.environ


def test_a_port_is_part_of_what_visitors_type(deployable: Project) -> None:
    ask_for(deployable, '[verify]\nexport_env = "TEST_SERVER"\n', host="odd.example.com:8080")
    deployable.run("--deploy-to=odd").assert_outcomes(passed=2)


def test_the_target_wins_over_what_is_in_the_environment_already(
    deployable: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_SERVER", "other.example.com")
    ask_for(deployable, '[verify]\nexport_env = "TEST_SERVER"\n', host="staging.example.com")
    deployable.run("--deploy-to=staging").assert_outcomes(passed=2)
    assert os.environ["TEST_SERVER"] == "other.example.com"


def test_without_a_target_nothing_is_set(project: Project) -> None:
    ask_for(project, '[verify]\nexport_env = "TEST_SERVER"\n')
    project.run("functional_tests").assert_outcomes(passed=1)


def test_without_the_key_nothing_is_set(deployable: Project, server: FakeServer) -> None:
    ask_for(deployable, "")
    deployable.run("--deploy-to=staging").assert_outcomes(passed=2)
    assert server.engine.containers({})


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            'export_env = "TEST-SERVER"',
            "verify.export_env must be the name of an environment variable, like TEST_SERVER",
        ),
        ('export_env = ""', "verify.export_env must be the name of an environment variable"),
        ("export_env = 1", "verify.export_env must be a string, not 1"),
        ('exportenv = "X"', "verify.exportenv is not a key of [verify]; did you mean 'export_env'?"),
    ],
)
def test_a_name_that_is_none_is_exit_4_with_its_line(project: Project, line: str, sentence: str) -> None:
    ask_for(project, f"[verify]\n{line}\n")
    result = project.run("--deploy-to=staging")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert sentence in said(result)
    assert "deploy.toml:19:" in said(result)
    assert "Traceback" not in said(result)
