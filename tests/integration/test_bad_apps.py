"""Apps that can't be built, can't start, or don't answer as a deploy needs it; what served before still serves."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator

import pytest

from tests.integration.projects import Project
from tests.integration.servers import RealServer
from tests.integration.test_what_goes_wrong import assert_one_sentence

MOVED = """
from django.views.generic import RedirectView

urlpatterns.append(path("moved", RedirectView.as_view(url="/health")))
"""
NEEDS_A_KEY = ("BASE_DIR =", 'API_KEY = os.environ["PAYMENT_API_KEY"]\nBASE_DIR =')


@pytest.fixture(scope="module")
def deployed(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> RealServer:
    run = Project.copy_of_the_site(tmp_path_factory.mktemp("first") / "superlists").pytest(
        f"--deploy-to={server.target}"
    )
    assert run.exit_code == 0, run.output
    return server


@pytest.fixture
def served(deployed: RealServer) -> Iterator[RealServer]:
    """A server where a release serves; it must serve unchanged after the test too."""
    serving = deployed.serving()
    yield deployed
    assert deployed.serving() == serving
    assert deployed.status("/health") == 200


def test_a_base_image_that_can_not_be_pulled_is_told_from_other_failures(served: RealServer, project: Project) -> None:
    project.edit("Dockerfile", "BASE_IMAGE=python:3.11-slim-bookworm", "BASE_IMAGE=registry.invalid/python:3")

    run = project.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert "registry.invalid" in run.output
    assert "The base image is not here and could not be pulled" in run.output
    assert "DEPRECATED" not in run.output


def test_a_platform_that_can_not_be_built_for_here_is_said(served: RealServer, project: Project) -> None:
    project.edit("deploy.toml", 'health = "/health"', 'health = "/health"\nplatform = "linux/s390x"')

    label = f"test={secrets.token_hex(8)}"
    project.edit("Dockerfile", "COPY requirements", f"LABEL {label}\nCOPY requirements")

    run = project.pytest(f"--deploy-to={served.target}", env={"DOCKER_BUILDKIT": "0"})

    assert_one_sentence(run)
    assert "The server needs an image for linux/s390x, and this machine" in run.output
    assert "emulator" in run.output
    assert run.outcomes["Build image"] == "failed"
    built = subprocess.run(
        ["docker", "images", "-aq", "--filter", f"label={label}"], check=True, capture_output=True, text=True
    )
    assert built.stdout == ""


def test_a_health_path_that_redirects_says_where_to(served: RealServer, project: Project) -> None:
    project.write("src/superlists/urls.py", (project.folder / "src/superlists/urls.py").read_text() + MOVED)
    project.edit("deploy.toml", 'health = "/health"', 'health = "/moved"')

    run = project.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert "/moved answers 302 and redirects to /health; a health path must answer by itself." in run.output


def test_a_setting_that_the_app_needs_and_does_not_get_is_named(served: RealServer, project: Project) -> None:
    project.edit("src/superlists/settings.py", *NEEDS_A_KEY)
    project.edit("Dockerfile", "DJANGO_SECRET_KEY=", "PAYMENT_API_KEY=none DJANGO_SECRET_KEY=")

    run = project.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert "KeyError: 'PAYMENT_API_KEY'" in run.output
    assert "The app wants PAYMENT_API_KEY in its environment: give it in [app.env] or [app.secrets]" in run.output
    assert run.outcomes["Rehearse the migration"] == "failed"


def test_a_setting_that_the_build_needs_is_told_from_one_that_the_app_needs(
    served: RealServer, project: Project
) -> None:
    project.edit("src/superlists/settings.py", *NEEDS_A_KEY)

    run = project.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert "A build gets nothing from deploy.toml: give PAYMENT_API_KEY a value in the Dockerfile" in run.output
    assert run.outcomes["Build image"] == "failed"


def test_a_database_path_that_is_not_the_mounted_one_is_said(served: RealServer, project: Project) -> None:
    project.edit("deploy.toml", 'DJANGO_DATABASE_PATH = "/data/', 'DJANGO_DATABASE_PATH = "/app/')

    run = project.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert "unable to open database file" in run.output
    assert "The app can't write its database: [database] path" in run.output


def test_a_database_folder_of_somebody_else_is_said(served: RealServer, project: Project) -> None:
    project.edit("src/lists/views.py", "from", "# A change, so that there is something to deploy.\nfrom")
    served.as_root("chown 0:0 /home/deploy/deploy/superlists/data")
    try:
        run = project.pytest(f"--deploy-to={served.target}")
    finally:
        served.as_root("chown 1000:1000 /home/deploy/deploy/superlists/data")

    assert_one_sentence(run)
    assert "/home/deploy/deploy/superlists/data/db.sqlite3 can't be made ready." in run.output
    assert "Permission denied" in run.output
    assert "Put it right on the server, as root." in run.output
    assert run.outcomes["Ensure database"] == "failed"
