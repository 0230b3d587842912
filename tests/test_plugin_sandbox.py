"""A run against a sandbox: it boots first, and goes where nobody named it."""

from __future__ import annotations

import pytest

from tests.inner import Project, said
from tests.sandboxes import Sandboxes


def test_a_sandbox_is_booted_first_and_only_after_collection(deployable: Project, sandboxes: Sandboxes) -> None:
    result = deployable.run("--deploy-to=sandbox:a")
    result.assert_outcomes(passed=2)
    assert sandboxes.running == ["a"]
    result.stdout.fnmatch_lines(["*changed  Boot the sandbox*", "*Gather facts*", "sandbox:a : *failed=0*"])


def test_a_named_one_stays_and_is_not_booted_twice(deployable: Project, sandboxes: Sandboxes) -> None:
    for _ in range(2):
        result = deployable.run("--deploy-to=sandbox:a")
    assert (sandboxes.running, sandboxes.removed) == (["a"], [])
    result.stdout.fnmatch_lines(["*changed=0*"])


def test_one_that_nobody_named_goes_when_the_run_ends(deployable: Project, sandboxes: Sandboxes) -> None:
    deployable.run("--deploy-to=sandbox").assert_outcomes(passed=2)
    assert len(sandboxes.running) == 1
    assert sandboxes.removed == sandboxes.running


@pytest.mark.parametrize("more", [("--collect-only",), ("-k", "nothing_is_named_so")])
def test_where_nothing_is_run_nothing_is_booted_or_left(
    project: Project, sandboxes: Sandboxes, more: tuple[str, ...]
) -> None:
    project.run("--deploy-to=sandbox", *more)
    assert sandboxes.running == []
    assert len(sandboxes.removed) == 1


def test_a_secret_that_is_missing_stops_before_a_sandbox_is_booted(
    project: Project, sandboxes: Sandboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    project.write("deploy.toml", "[app]\nname = 'x'\n[app.secrets]\nMAIL = { from_env = 'MAIL_PASSWORD' }\n")
    assert project.run("--deploy-to=sandbox:a").ret == pytest.ExitCode.USAGE_ERROR
    assert sandboxes.running == []


def test_verifying_one_that_is_not_there_is_exit_4_and_names_those_that_are(
    deployable: Project, sandboxes: Sandboxes
) -> None:
    deployable.run("--deploy-to=sandbox:a")
    result = deployable.run("--verify-on=sandbox:b")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "sandbox:a" in said(result)
    assert sandboxes.running == ["a"]
