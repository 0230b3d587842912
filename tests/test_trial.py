"""On live the tests are tried before the deploy."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.trial import as_verification, require_fair_tests


@pytest.mark.parametrize(
    ("typed", "verifies"),
    [
        (["--deploy-to=live"], ["--verify-on=live"]),
        (["--deploy-to", "live", "-v", "a/test_b.py"], ["--verify-on=live", "-v", "a/test_b.py"]),
        (["--deploy-first", "-k", "x", "--deploy-json", "f.json", "--deploy-to=live"], ["-k", "x", "--verify-on=live"]),
        (["--deploy-on-failure=keep", "--junitxml=a.xml", "--deploy-to=live", "-n2"], ["--verify-on=live", "-n2"]),
    ],
)
def test_a_deploy_becomes_a_verification_that_writes_nothing(typed: list[str], verifies: list[str]) -> None:
    assert list(as_verification(typed)) == verifies


@pytest.fixture
def pytest_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a Python in place that writes how it was called, and ends with the code in a file."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\necho FAILED test_x\nexit $(cat {tmp_path}/code)\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    return tmp_path


@pytest.mark.parametrize("code", [0, 30])
def test_tests_that_pass_and_a_server_where_nothing_serves_let_it_go_on(pytest_ends: Path, code: int) -> None:
    (pytest_ends / "code").write_text(str(code))
    require_fair_tests(["--deploy-to=live"], pytest_ends)
    assert (pytest_ends / "called").read_text().split() == ["-m", "pytest", "--verify-on=live", "--reruns=1"]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (1, "The tests fail against the release that serves now"),
        (4, r"The tests could not be tried against the release that serves now \(exit code 4\)"),
    ],
)
def test_tests_that_fail_on_what_serves_end_the_deploy(pytest_ends: Path, code: int, sentence: str) -> None:
    (pytest_ends / "code").write_text(str(code))
    with pytest.raises(StepFailed, match=sentence) as caught:
        require_fair_tests(["--deploy-to=live"], pytest_ends)
    assert "FAILED test_x" in caught.value.got
