"""Each hook is called when its sentence says so, with what it says; and each is documented, with an example."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deploy_plugin import defaults, hookspecs
from deploy_plugin.server import ssh
from deploy_plugin.session import Session
from deploy_plugin.testing import FakeServer
from tests.documents import DOCS, Document
from tests.inner import Project
from tests.site import Site

PAGE = Document(DOCS / "reference" / "hooks.md")
HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("pytest_deploy_")}
CONNECT = Session.connect
ONCE = set(HOOKS) - {"pytest_deploy_step_started", "pytest_deploy_step_finished"}
NOT_ON_SUCCESS = {"pytest_deploy_failed"}
STEPS = ("pytest_deploy_step_started", "pytest_deploy_step_finished")
WRITES_DOWN = """
import json
from pathlib import Path

def note(hook, **told):
    shown = {name: str(getattr(value, "title", value)) for name, value in told.items()}
    kinds = {name: type(value).__name__ for name, value in told.items()}
    with Path(__file__).with_name("calls").open("a") as calls:
        print(json.dumps([hook, shown, kinds]), file=calls)
"""
KINDS = {
    "app": "App",
    "config": "Config",
    "deployment": "Deployment",
    "error": "StepFailed",
    "folder": "PosixPath",
    "join": "bool",
    "release": "Release",
    "report": "StepReport",
    "runner": "Runner",
    "server": "FakeServer",
    "steps": "list",
    "target": "Target",
    "verified": "bool",
}

each_hook = pytest.mark.parametrize("name", HOOKS)
with_and_without_workers = pytest.mark.parametrize("workers", ["-n0", "-n2"])


def parameters(name: str) -> dict[str, str]:
    return {parameter.name: parameter.annotation for parameter in inspect.signature(HOOKS[name]).parameters.values()}


@pytest.fixture
def hooked(deployable: Project, server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose root conftest.py writes down every call of every hook, in workers too."""
    monkeypatch.setattr(Session, "connect", CONNECT)
    monkeypatch.setattr(ssh, "SshServer", lambda *_told, **_join: server)
    listen(deployable, set(HOOKS))
    return deployable


def listen(project: Project, hooks: set[str]) -> None:
    project.write("conftest.py", "\n".join([WRITES_DOWN, *map(writes_down, hooks)]))


def writes_down(name: str) -> str:
    told = ", ".join(f"{parameter}={parameter}" for parameter in parameters(name))
    return f"def {name}({', '.join(parameters(name))}):\n    note({name!r}, {told})"


def calls(project: Project) -> list[tuple[str, dict[str, str], dict[str, str]]]:
    lines = (project.pytester.path / "calls").read_text(encoding="utf-8").splitlines()
    return [tuple(json.loads(line)) for line in lines]


def names(project: Project) -> list[str]:
    return [name for name, _, _ in calls(project)]


def told(project: Project, hook: str) -> dict[str, str]:
    (shown,) = (shown for name, shown, _ in calls(project) if name == hook)
    return shown


# When they are called


@with_and_without_workers
def test_a_deploy_calls_them_in_the_order_in_which_they_are_specified(hooked: Project, workers: str) -> None:
    hooked.run("--deploy-to=staging", workers).assert_outcomes(passed=2)
    assert list(dict.fromkeys(names(hooked))) == [name for name in HOOKS if name not in NOT_ON_SUCCESS]


@with_and_without_workers
def test_each_is_called_once_and_the_two_of_a_step_once_for_each_step(hooked: Project, workers: str) -> None:
    hooked.run("--deploy-to=staging", workers, "--deploy-json=recap.json")
    # A worker connects too: it learns from the server what must not be shown.
    counted = Counter(name for name, shown, _ in calls(hooked) if shown.get("join") != "True")
    assert {name: counted[name] for name in ONCE - NOT_ON_SUCCESS} == dict.fromkeys(ONCE - NOT_ON_SUCCESS, 1)
    titles = [step["title"] for step in hooked.recap()["steps"]]
    step_calls = [(name, shown["step"]) for name, shown, _ in calls(hooked) if name in STEPS]
    assert step_calls == [(name, title) for title in titles for name in STEPS]


def test_they_are_given_what_is_specified(hooked: Project, site: Site) -> None:
    hooked.run("--deploy-to=staging")
    site.migrate_fails, site.pending = "no", ["lists.0003_more"]
    hooked.write("app.py", "changed")
    hooked.run("--deploy-to=staging")
    seen = {name: kinds for name, _, kinds in calls(hooked)}
    assert set(seen) == set(HOOKS)
    for name, kinds in seen.items():
        kinds.pop("step", None)  # a Protocol: any kind of step
        assert kinds == {parameter: KINDS[parameter] for parameter in parameters(name) if parameter != "step"}


@with_and_without_workers
def test_a_deploy_that_failed_is_told_once_with_its_error_and_never_finished(
    hooked: Project, site: Site, workers: str
) -> None:
    site.migrate_fails = "UNIQUE constraint failed"
    assert hooked.run("--deploy-to=staging", workers).ret == 30
    assert names(hooked)[-1] == "pytest_deploy_failed"
    assert "UNIQUE constraint failed" in told(hooked, "pytest_deploy_failed")["error"]
    assert "pytest_deploy_finished" not in names(hooked)


def test_verifying_calls_those_that_look_and_none_of_a_deploy(hooked: Project) -> None:
    hooked.run("--deploy-to=staging")
    (hooked.pytester.path / "calls").unlink()
    hooked.run("--verify-on=staging").assert_outcomes(passed=2)
    looks = ["targets", "is_live", "connect", "release_chosen"]
    assert names(hooked) == [f"pytest_deploy_{name}" for name in looks]


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan"])
def test_where_nothing_is_deployed_none_of_a_deploy_is_called(hooked: Project, option: str) -> None:
    hooked.run("--deploy-to=staging", option)
    assert names(hooked) == [f"pytest_deploy_{name}" for name in ("targets", "is_live", "connect")]


def test_a_plan_calls_those_of_its_steps_and_neither_failed_nor_finished(hooked: Project) -> None:
    of_a_deploy = {"pytest_deploy_failed", "pytest_deploy_finished"}
    foreseeable = set(HOOKS) - {"pytest_deploy_run"}  # another deployer's plan is not known
    listen(hooked, foreseeable)
    hooked.run("--deploy-to=staging", "--deploy-plan")
    assert set(names(hooked)) == foreseeable - of_a_deploy


def test_without_a_target_none_is_called(hooked: Project) -> None:
    hooked.run("unit").assert_outcomes(passed=1)
    assert not (hooked.pytester.path / "calls").exists()


VERDICTS = {
    "all passed": ("def test_it(): pass", True),
    "one failed": ("def test_it(): assert 0", False),
    "one had an error": ("def test_it(nosuch): pass", False),
    "one is expected to fail": ("import pytest\n@pytest.mark.xfail\ndef test_it(): assert 0", True),
}


@pytest.mark.parametrize(("text", "verified"), VERDICTS.values(), ids=VERDICTS)
def test_finished_says_whether_the_tests_passed(hooked: Project, text: str, verified: bool) -> None:  # noqa: FBT001
    hooked.write("functional_tests/test_functional.py", text)
    hooked.run("--deploy-to=staging")
    assert told(hooked, "pytest_deploy_finished")["verified"] == str(verified)


def test_a_test_that_failed_in_a_worker_is_not_verified_either(hooked: Project) -> None:
    hooked.write("functional_tests/test_functional.py", "def test_it(): assert 0")
    hooked.run("--deploy-to=staging", "-n2")
    assert told(hooked, "pytest_deploy_finished")["verified"] == "False"


def test_an_interrupted_run_is_not_verified(hooked: Project) -> None:
    hooked.write("functional_tests/test_functional.py", "def test_it(): raise KeyboardInterrupt")
    hooked.run("--deploy-to=staging")
    assert told(hooked, "pytest_deploy_finished")["verified"] == "False"


@with_and_without_workers
def test_where_every_test_was_skipped_nothing_is_verified(hooked: Project, workers: str) -> None:
    for folder in ("functional_tests/test_functional.py", "infra_tests/test_infra.py"):
        hooked.write(folder, "import pytest\ndef test_it(): pytest.skip('no browser')")
    assert hooked.run("--deploy-to=staging", workers).ret == 0
    assert told(hooked, "pytest_deploy_finished")["verified"] == "False"


# What is said of them


@each_hook
def test_each_is_typed_and_says_in_a_sentence_when_it_is_called(name: str) -> None:
    first = inspect.getdoc(HOOKS[name]) or ""
    assert first.startswith("Called ")
    assert first.partition("\n\n")[0].endswith(".")
    assert inspect.signature(HOOKS[name]).return_annotation
    assert all(parameters(name).values())


@each_hook
def test_each_is_documented_with_its_types_and_an_example(name: str) -> None:
    section = PAGE.section(f"`{name}({', '.join(parameters(name))})`")
    for parameter, kind in parameters(name).items():
        assert f"`{parameter}: {kind}`" in section
    (example,) = (block for block in re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL))
    (function,) = (node for node in ast.parse(example).body if isinstance(node, ast.FunctionDef))
    assert function.name == name
    assert {argument.arg for argument in function.args.args} <= set(parameters(name))


@each_hook
def test_each_is_tested(name: str) -> None:
    tested = [path for path in Path(__file__).parent.rglob("test_*.py") if re.search(rf"\b{name}\b", path.read_text())]
    assert tested


def test_our_own_defaults_are_implementations_of_them() -> None:
    ours: dict[str, Any] = {name: hook for name, hook in vars(defaults).items() if name.startswith("pytest_deploy_")}
    for name, hook in ours.items():
        assert set(inspect.signature(hook).parameters) <= set(parameters(name))
        assert hook.pytest_impl["trylast"]
