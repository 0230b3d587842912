"""No way leads round the gate of a live target."""

from __future__ import annotations

import sys

import pytest

from deploy_plugin.testing import FakeServer
from tests.documents import DOCS, Document
from tests.inner import Project, said
from tests.ways_of_conftests import CONFTESTS, LATE
from tests.ways_round_live import KEPT, KINDS, PARTS, SELECTIONS, TESTS, Way

ALL = [*SELECTIONS, *PARTS, *KINDS, *CONFTESTS]
USAGE = pytest.ExitCode.USAGE_ERROR


def run(project: Project, way: Way, *more: str) -> pytest.RunResult:
    for name in [name for name in sys.modules if name.partition(".")[0] == "functional_tests"]:
        project.monkeypatch.delitem(sys.modules, name)  # this checkout's own, where an outer run imported them
    project.write("functional_tests/test_functional.py", TESTS)
    for name, text in way.files.items():
        project.write(name, text)
    for name, value in way.env.items():
        project.monkeypatch.setenv(name, value)
    return project.run("--deploy-to=live", "--deploy-first", *way.arguments, *more)


def has_run(project: Project) -> bool:
    return (project.pytester.path / "ran").exists()


@pytest.mark.parametrize("way", ALL, ids=lambda way: way.name)
def test_it_does_not_lead_round(deployable: Project, server: FakeServer, way: Way) -> None:
    result = run(deployable, way)
    assert result.ret == way.exit_code, said(result)
    assert way.says in said(result)
    assert not has_run(deployable)
    assert bool(server.journal) == (result.ret == 0 and "--collect-only" not in way.arguments)


@pytest.mark.parametrize("way", [SELECTIONS[0], KINDS[0], *CONFTESTS], ids=lambda way: way.name)
def test_it_does_not_lead_round_in_a_worker_either(deployable: Project, server: FakeServer, way: Way) -> None:
    result = run(deployable, way, "-n2")
    assert result.ret == way.exit_code, said(result)
    assert way.says in said(result)
    assert not has_run(deployable)
    assert bool(server.journal) == (result.ret == 0)


@pytest.mark.parametrize("way", LATE, ids=lambda way: way.name)
def test_what_comes_back_when_tests_run_already_is_refused(deployable: Project, way: Way) -> None:
    result = run(deployable, way)
    assert not has_run(deployable)
    assert way.says in said(result)
    assert "test_unsafe" in said(result)


def test_the_documents_list_every_way() -> None:
    rows = Document(DOCS / "reference" / "live.md").rows("Ways round it")
    assert rows - {"way", "---"} == {way.name.strip("`*") for way in [*ALL, *LATE]} | {
        "a worker that is not told what run it is of",
        "an option emptied before the plugin reads it",
    }


def test_a_worker_that_is_not_told_what_run_it_is_of_has_no_gate(deployable: Project) -> None:
    forget = "def pytest_configure_node(node):\n    node.workerinput.pop('pytest_deploy_session', None)\n"
    hook = f"import pytest\n\n@pytest.hookimpl(trylast=True, optionalhook=True)\n{forget}"
    result = run(deployable, Way("", (), {"conftest.py": hook}), "-n2")
    assert result.ret == USAGE
    assert "was taken away" in said(result)
    assert not has_run(deployable)


def test_an_option_emptied_before_the_plugin_reads_it_leaves_a_run_without_a_target(deployable: Project) -> None:
    hook = "def pytest_configure(config):\n    config.option.deploy_to = None\n"
    deployable.write("conftest.py", f"import pytest\n\n@pytest.hookimpl(tryfirst=True)\n{hook}")
    deployable.write("unit/test_unit.py", "def test_it(base_url):\n    assert not base_url\n")
    deployable.run("--deploy-to=live", "unit").assert_outcomes(passed=1)
    assert deployable.connected == []


# What a promise is

PROMISES = {
    "function": "@pytest.mark.live_safe\ndef test_it(): pass\n",
    "class": "@pytest.mark.live_safe\nclass TestIt:\n    def test_it(self): pass\n",
    "module": "pytestmark = pytest.mark.live_safe\ndef test_it(): pass\n",
    "parameter": "@pytest.mark.parametrize('n', [pytest.param(1, marks=pytest.mark.live_safe)])\ndef test_it(n): ...\n",
    "unittest": "@pytest.mark.live_safe\nclass It(unittest.TestCase):\n    def test_it(self): pass\n",
    "nondestructive": "@pytest.mark.nondestructive\ndef test_it(): pass\n",
}


@pytest.mark.parametrize("text", PROMISES.values(), ids=PROMISES)
def test_a_marker_that_pytest_finds_is_a_promise(deployable: Project, text: str) -> None:
    deployable.write("functional_tests/test_functional.py", f"import unittest\nimport pytest\n{text}")
    deployable.run("--deploy-to=live", "--deploy-first").assert_outcomes(passed=1, deselected=1)


def test_a_marker_that_a_conftest_adds_at_collection_is_its_authors_promise(deployable: Project) -> None:
    hook = "def pytest_collection_modifyitems(items):\n    for item in items:\n        item.add_marker('live_safe')\n"
    deployable.write("infra_tests/conftest.py", hook)
    deployable.run("--deploy-to=live", "--deploy-first").assert_outcomes(passed=2)


def test_what_is_safe_is_nondestructive_to_pytest_selenium(deployable: Project) -> None:
    looks = "def test_it(request):\n    assert 'nondestructive' in request.keywords\n"
    deployable.write("functional_tests/test_functional.py", f"import pytest\n@pytest.mark.live_safe\n{looks}")
    deployable.run("--deploy-to=live", "--deploy-first").assert_outcomes(passed=1, deselected=1)


# What is said of it


@pytest.mark.parametrize("more", [(), ("-n2",)])
def test_a_handful_of_what_is_not_run_is_named_and_the_rest_counted(deployable: Project, more: tuple[str, ...]) -> None:
    many = "import pytest\n@pytest.mark.live_safe\ndef test_safe(): pass\n@pytest.mark.parametrize('n', range(9))\n"
    deployable.write("functional_tests/test_functional.py", many + "def test_unsafe(n): pass\n")
    result = deployable.run("--deploy-to=live", "--deploy-first", *more)
    result.stdout.fnmatch_lines(["*not run on live*", "10 deselected: the target*", "*test_infra*", "*and 5 more*"])


@pytest.mark.parametrize("more", [(), ("-n2",)])
def test_nothing_safe_is_exit_4_and_a_sentence_that_says_how_to_mark(project: Project, more: tuple[str, ...]) -> None:
    result = project.run("--deploy-to=live", *more)
    assert result.ret == USAGE
    assert "none of the 2 selected tests is marked live_safe" in said(result)
    assert "@pytest.mark.live_safe" in said(result)
    assert "Traceback" not in said(result)


def test_verifying_on_live_has_the_same_gate(project: Project) -> None:
    assert project.run("--verify-on=live").ret == USAGE


@pytest.mark.parametrize(("color", "live"), [("yes", "\x1b[31m\x1b[1mLIVE\x1b[0m"), ("no", "(LIVE)")])
def test_the_header_says_live_in_red_where_there_are_colours(project: Project, color: str, live: str) -> None:
    assert live in said(project.run("--deploy-to=live", f"--color={color}"))


def test_no_color_counts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "(LIVE)" in said(project.run("--deploy-to=live"))


def test_elsewhere_there_is_no_gate(deployable: Project) -> None:
    deployable.write("functional_tests/conftest.py", KEPT)
    deployable.run("--deploy-to=staging").assert_outcomes(passed=2)
