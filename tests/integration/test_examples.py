"""The examples of the how-to pages do what their pages say: their files are taken from there, and run."""

from __future__ import annotations

from tests.documents import DOCS, Document
from tests.integration.projects import Project
from tests.integration.servers import RealServer


def follow(page: str, project: Project) -> None:
    """Write the files that a how-to page shows into the project."""
    for name, text in Document(DOCS / "how-to" / page).files.items():
        project.write(name, text)


def test_a_unittest_suite_judges_a_target(empty_server: RealServer, project: Project) -> None:
    follow("run-unittest-suites.md", project)
    target = empty_server.target

    here = project.pytest("functional_tests")
    there = project.pytest(f"--deploy-to={target}", "functional_tests")
    in_workers = project.pytest(f"--verify-on={target}", "functional_tests", "-n2")

    for run in (here, there, in_workers):
        assert run.exit_code == 0, run.output
        assert "1 passed" in run.output
    count = "from lists.models import *; print(Item.objects.count())"
    assert empty_server.sh(f'docker exec $(docker ps -q) python manage.py shell -v 0 -c "{count}"') == "2"
