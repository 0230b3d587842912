"""A deploy is the same on every kind of engine that a server may have."""

from __future__ import annotations

from tests.integration.projects import Project
from tests.integration.servers import RealServer

STORAGE_DRIVERS = {"overlay2": "overlay2", "containerd": "overlayfs"}
"""What Docker itself calls it."""


def test_it_keeps_images_where_it_says(any_server: RealServer) -> None:
    assert any_server.sh("docker info --format '{{.Driver}}'") == STORAGE_DRIVERS[str(any_server.sandbox.engine)]


def test_a_first_deploy_a_second_and_one_of_a_changed_line(any_server: RealServer, project: Project) -> None:
    first = project.pytest(f"--deploy-to={any_server.target}")

    assert first.exit_code == 0, first.output
    assert first.outcomes["Ship image"] == "changed"
    assert any_server.status("/health") == 200

    again = project.pytest(f"--deploy-to={any_server.target}")

    assert again.exit_code == 0, again.output
    assert set(again.outcomes.values()) == {"ok"}
    assert again.report["bytes_sent"] == 0

    project.edit("src/lists/views.py", "def home(", "# One changed line.\ndef home(")
    third = project.pytest(f"--deploy-to={any_server.target}")

    assert third.exit_code == 0, third.output
    assert third.outcomes["Ship image"] == "changed"
    assert third.report["release"] != first.report["release"]
    assert any_server.in_app("grep -c 'One changed line' lists/views.py") == "1"
    assert any_server.status("/health") == 200
