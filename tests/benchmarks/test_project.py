"""The site is changed as its developers would, in a copy."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.clock import Command, Failed, timed
from benchmarks.project import REQUIREMENTS, VIEWS, Project
from benchmarks.server import Traffic
from benchmarks.tools import PytestDeploy, Tool, in_round, steps


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.copied(tmp_path / "project", "round 1")


def changed(project: Project) -> list[str]:
    """The files of the last commit, with how many lines were added and removed."""
    argv = ["git", "show", "--numstat", "--format=", "HEAD"]
    done = subprocess.run(argv, cwd=project.folder, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def test_a_changed_line_is_one_line_that_visitors_see(project: Project) -> None:
    before = project.says
    project.change_a_line()
    assert changed(project) == [f"1\t1\t{VIEWS}"]
    assert project.says != before
    line = f'return HttpResponse("ok, {project.says}\\n", content_type="text/plain")'
    assert line in project.path(VIEWS).read_text(encoding="utf-8")


def test_two_changes_are_never_the_same(project: Project) -> None:
    project.change_a_line()
    first = project.says
    project.change_a_line()
    assert first not in project.says


def test_an_added_dependency_is_used_by_the_site(project: Project) -> None:
    project.change_a_line()
    project.add_a_dependency()
    assert [line.split("\t")[2] for line in changed(project)] == [REQUIREMENTS, VIEWS]
    views = project.path(VIEWS).read_text(encoding="utf-8")
    compile(views, VIEWS, "exec")
    assert "six {six.__version__}" in views
    assert project.says.endswith("change 1, six 1.17.0")


def test_a_site_that_is_not_known_is_no_site_to_measure(project: Project) -> None:
    project.path(VIEWS).write_text("", encoding="utf-8")
    with pytest.raises(Failed, match="does not know this site"):
        project.change_a_line()


def test_a_command_that_fails_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"exit code 3:\nthe reason"):
        timed(Command(["sh", "-c", "echo the reason; exit 3"], tmp_path))


def test_a_command_is_measured_with_its_output_and_its_memory(tmp_path: Path) -> None:
    script = "import os; print(os.environ['WHO']); b'x' * 200_000_000"
    took = timed(Command(["python3", "-c", script], tmp_path, {"WHO": "somebody"}))
    assert took.output == "somebody\n"
    assert took.seconds > 0
    assert took.peak_memory > 150_000_000


def test_what_would_change_how_a_tool_works_is_not_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    monkeypatch.setenv("ANSIBLE_FORKS", "1")
    took = timed(Command(["env"], tmp_path))
    assert "PYTEST_ADDOPTS" not in took.output
    assert "ANSIBLE_FORKS" not in took.output


def test_every_tool_begins_once() -> None:
    tools: list[Tool] = [PytestDeploy("a"), PytestDeploy("b"), PytestDeploy("c")]
    rounds = ["".join(tool.name for tool in in_round(tools, number)) for number in range(4)]
    assert rounds == ["abc", "bca", "cab", "abc"]


def test_traffic_is_what_came_since() -> None:
    assert Traffic(500, 80).since(Traffic(200, 50)) == Traffic(300, 30)


def test_tools_that_write_no_report_have_no_steps(project: Project) -> None:
    assert steps(project) == {}
    project.path("deploy.json").write_text('{"steps": [{"title": "Switch", "seconds": 1.5}]}', encoding="utf-8")
    assert steps(project) == {"Switch": 1.5}
