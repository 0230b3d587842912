"""What crosses the wire, into both kinds of image store."""

from __future__ import annotations

from tests.integration.projects import Project
from tests.integration.servers import RealServer

MEGABYTE = 1_000_000
NAMES = "docker image ls --format '{{.Repository}}:{{.Tag}}'"
HALF_WAY = "docker image ls --all --quiet --filter label=deploy.partial"


def test_a_changed_line_sends_less_than_a_megabyte_in_all(any_server: RealServer, project: Project) -> None:
    first = project.pytest(f"--deploy-to={any_server.target}")
    assert first.exit_code == 0, first.output

    project.edit("src/lists/views.py", "def home(", "# One changed line.\ndef home(")
    second = project.pytest(f"--deploy-to={any_server.target}")

    assert second.exit_code == 0, second.output
    assert second.report["bytes_sent"] < MEGABYTE < first.report["bytes_sent"], second.output
    assert "Ship image: 1 of 5 layers were missing" in second.output
    assert any_server.sh(HALF_WAY) == ""
    assert len(any_server.sh(NAMES).splitlines()) == 2
