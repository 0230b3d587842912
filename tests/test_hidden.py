"""What a run writes is without secrets, and one that is missing here contacts nothing."""

from __future__ import annotations

import pytest

from deploy_plugin.redaction import SHORTEST
from deploy_plugin.secret import MASK
from deploy_plugin.testing import FakeServer
from tests.inner import DEPLOY_TOML, Project, said
from tests.site import Site

HERE = "hunter2-from-here"
KEPT = "hunter2-kept-by-hand"
with_and_without_workers = pytest.mark.parametrize("workers", ["-n0", "-n2"])

PRINTS = """
import logging
import os
import sys
import warnings

def test_it(record_testsuite_property):
    for value in {values!r}:
        print("out", value)
        print("err", value, file=sys.stderr)
        logging.getLogger().error("log %s", value)
        warnings.warn(f"warning {{value}}")
        record_testsuite_property("property", value)
    assert {values!r} == ()
"""
OTHER_PLUGIN = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    with open("seen", "a") as seen:
        print(report.longreprtext, report.sections, file=seen)

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    report = yield
    with open("seen", "a") as seen:
        print(report.longreprtext, report.sections, file=seen)
    return report

def pytest_deploy_step_finished(report):
    with open("seen", "a") as seen:
        print(report.reason, file=seen)

def pytest_deploy_failed(error):
    with open("seen", "a") as seen:
        print(vars(error), error.args, repr(error), file=seen)
"""


# A worker connects by itself: to the same server as the main process.
WORKERS_SERVER = """
from pathlib import Path
from deploy_plugin.testing import FakeServer

def pytest_deploy_connect(join):
    return FakeServer(Path({folder!r}))
"""


@pytest.fixture
def guarded(deployable: Project, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a secret from here, on a server that keeps another one."""
    monkeypatch.setenv("MAIL_PASSWORD", HERE)
    deployable.write("deploy.toml", _with_secret("MAIL", '{ from_env = "MAIL_PASSWORD" }'))
    deployable.write("conftest.py", OTHER_PLUGIN + WORKERS_SERVER.format(folder=str(server.home.parent)))
    folder = server.home / "deploy/superlists"
    folder.mkdir(parents=True)
    (folder / ".env").write_text(f"BY_HAND={KEPT}\n")
    return deployable


def _with_secret(key: str, source: str) -> str:
    return DEPLOY_TOML.replace("[app.secrets]", f"[app.secrets]\n{key} = {source}")


def written(project: Project, result: pytest.RunResult) -> dict[str, str]:
    names = ("junit.xml", "log.txt", "recap.json", "seen")
    files = {name: path.read_text() for name in names if (path := project.pytester.path / name).exists()}
    return {"said": said(result), **files}


@with_and_without_workers
@pytest.mark.parametrize("more", ["-v", "-vv", "-s"])
def test_what_tests_print_is_hidden_in_all_that_is_written(guarded: Project, workers: str, more: str) -> None:
    guarded.write("infra_tests/test_infra.py", PRINTS.format(values=(HERE, KEPT)))
    files = ("--junitxml=junit.xml", "--log-file=log.txt", "--deploy-json=recap.json")
    result = guarded.run("--deploy-to=staging", workers, more, "-rA", "-l", "-Walways", *files)
    result.assert_outcomes(failed=1, passed=1, warnings=4)  # a test that fails is tried again
    found = written(guarded, result)
    assert len(found) == 5
    for name, text in found.items():
        assert "hunter2" not in text, name
        assert MASK in text or name == "recap.json", name
    assert f"log {MASK}" in found["log.txt"]
    assert f"warning {MASK}" in found["said"]


@with_and_without_workers
def test_a_failed_deploy_is_told_without_secrets_to_hooks_too(guarded: Project, site: Site, workers: str) -> None:
    site.migrate_fails = f"connecting with {HERE}, then with {KEPT!r}"
    files = ("--junitxml=junit.xml", "--deploy-json=recap.json")
    result = guarded.run("--deploy-to=staging", workers, "-l", "-vv", *files)
    assert result.ret == 30
    for name, text in written(guarded, result).items():
        assert "hunter2" not in text, name
    assert f"connecting with {MASK}, then with '{MASK}'" in said(result)


@with_and_without_workers
def test_a_bug_keeps_its_traceback_without_secrets(guarded: Project, workers: str) -> None:
    bug = f"""
class Bug:
    title = "Bug"
    def check(self, server):
        local = {{"key": {KEPT!r}}}
        raise ZeroDivisionError("a bug with " + {HERE!r})

def pytest_deploy_steps(steps):
    steps.append(Bug())
"""
    guarded.write("conftest.py", bug)
    result = guarded.run("--deploy-to=staging", workers, "-l", "--full-trace", "--junitxml=junit.xml")
    assert f"ZeroDivisionError: a bug with {MASK}" in said(result)
    assert "local      = {" in said(result)
    for name, text in written(guarded, result).items():
        assert "hunter2" not in text, name


def test_a_run_that_only_verifies_hides_what_the_server_keeps(guarded: Project, server: FakeServer) -> None:
    guarded.run("--deploy-to=staging")
    generated = dict(line.split("=", 1) for line in (server.home / "deploy/superlists/.env").read_text().splitlines())[
        "KEY"
    ]
    guarded.write("infra_tests/test_infra.py", PRINTS.format(values=(HERE, KEPT, generated)))
    result = guarded.run("--verify-on=staging", "-vv", "-rA", "-Walways")
    assert "hunter2" not in said(result)
    assert generated[:12] not in said(result)


def test_settings_are_no_secrets(guarded: Project) -> None:
    settings = '[app.env]\nDJANGO_ALLOWED_HOST = "{host}"\n[app.secrets]\n'
    guarded.write("deploy.toml", DEPLOY_TOML.replace("[app.secrets]\n", settings))
    guarded.run("--deploy-to=staging")
    result = guarded.run("--verify-on=staging")
    assert "verified on staging: elspeth@staging.example.com" in said(result)
    assert MASK not in said(result)


def test_a_secret_that_is_too_short_to_hide_is_named_without_its_value(
    guarded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "x7q")
    result = guarded.run("--deploy-to=staging")
    assert result.ret == 0
    assert f"The secret MAIL has fewer than {SHORTEST} characters" in said(result)
    assert "x7q" not in said(result)


# What is missing here


@with_and_without_workers
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('{ from_env = "NOT_SET" }', ("the environment has no NOT_SET", "export NOT_SET=")),
        ('{ from_env = "EMPTY" }', ("the environment's EMPTY is empty", "export EMPTY=")),
        ('{ command = ["sh", "-c", "echo locked >&2; exit 3"] }', ("'sh' gave none", "locked")),
        ('{ command = ["no-such-vault"] }', ("'no-such-vault' can't be run",)),
        ('{ command = ["printf", "\\\\377\\\\377secret"] }', ("is not text",)),
    ],
)
def test_a_secret_that_is_missing_is_exit_4_and_nothing_was_contacted(
    project: Project, monkeypatch: pytest.MonkeyPatch, source: str, words: tuple[str, ...], workers: str
) -> None:
    monkeypatch.delenv("NOT_SET", raising=False)
    monkeypatch.setenv("EMPTY", "")
    project.write("deploy.toml", _with_secret("MAIL", source))
    result = project.run("--deploy-to=staging", workers, "-l")  # on a server that must not be contacted
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.assert_outcomes(errors=1)
    assert "The secret MAIL" in said(result)
    for word in words:
        assert word in said(result)
    assert "Traceback" not in said(result)


def test_a_secret_is_fetched_only_once_the_tests_are_collected(project: Project) -> None:
    project.write("deploy.toml", _with_secret("MAIL", '{ command = ["touch", "fetched"] }'))
    project.write("infra_tests/test_broken.py", "import nosuch_module\n")
    project.run("--deploy-to=staging")
    assert not (project.pytester.path / "fetched").exists()
