"""Each mistake gets a sentence and the right exit code, and what served before still serves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.projects import Project, Run
from tests.integration.servers import RealServer

STOPPED = 30
BROKEN_MIGRATION = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("lists", "0003_item_once_per_list")]
    operations = [migrations.RunSQL("INSERT INTO no_such_table VALUES (1)")]
"""


@pytest.fixture
def served(empty_server: RealServer, project: Project) -> Iterator[RealServer]:
    """A server where a release serves; it must serve unchanged after the test too."""
    run = project.pytest(f"--deploy-to={empty_server.target}")
    assert run.exit_code == 0, run.output
    serving = empty_server.serving()
    yield empty_server
    assert empty_server.serving() == serving
    assert empty_server.status("/health") == 200


def assert_one_sentence(run: Run, exit_code: int = STOPPED) -> None:
    """A report for people: one error, no traceback, and no test was run."""
    assert run.exit_code == exit_code, run.output
    assert not re.search(r"deploy_plugin\S*\.py\b", run.output)  # the app's own traceback, in its log, may show
    assert " passed" not in run.output
    assert run.output.count("ERROR at deploy of") == (exit_code == STOPPED)


def test_an_unknown_target_names_those_that_there_are(project: Project) -> None:
    run = project.pytest("--deploy-to=nosuch")

    assert_one_sentence(run, exit_code=4)
    assert "'nosuch'" in run.output
    assert "sandbox, sandbox:NAME, staging" in run.output


def test_a_host_that_does_not_answer_is_unreachable(project: Project) -> None:
    run = project.pytest("--deploy-to=deploy@127.0.0.99:9")

    assert_one_sentence(run)
    assert "deploy@127.0.0.99:9 can't be reached" in run.output
    assert "Connection refused" in run.output
    assert run.report["outcome"] == "unreachable"


def test_a_host_that_does_not_exist_is_named(project: Project) -> None:
    run = project.pytest("--deploy-to=deploy@no-such-host.invalid")

    assert_one_sentence(run)
    assert "no-such-host.invalid" in run.output
    assert "check the spelling" in run.output


def test_a_key_that_the_server_does_not_take_is_said(server: RealServer, project: Project, tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    strict = server.sandbox.ssh_config.read_text(encoding="utf-8")
    config.write_text(re.sub(r"IdentityFile .*", "IdentityFile none", strict), encoding="utf-8")

    run = project.pytest(f"--deploy-to={server.sandbox.destination}", f"--ssh-config={config}")

    assert_one_sentence(run)
    assert "Permission denied" in run.output
    assert "does not take your key" in run.output


def test_a_changed_host_key_is_never_accepted(server: RealServer, project: Project, tmp_path: Path) -> None:
    hosts = tmp_path / "known_hosts"
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHX1rzcXTpd3Z0d2Wg1rKZQyM1bq1hVwq0nGJYqA4pX1"
    known = server.sandbox.folder / "known_hosts"
    hosts.write_text(re.sub(r"ssh-ed25519 \S+", other, known.read_text(encoding="utf-8")), encoding="utf-8")
    config = tmp_path / "ssh_config"
    strict = server.sandbox.ssh_config.read_text(encoding="utf-8")
    config.write_text(re.sub(r"UserKnownHostsFile .*", f"UserKnownHostsFile {hosts}", strict), encoding="utf-8")
    before = hosts.read_bytes()

    run = project.pytest(f"--deploy-to={server.sandbox.destination}", f"--ssh-config={config}")

    assert_one_sentence(run)
    assert "host key is not the one that is known" in run.output
    assert hosts.read_bytes() == before


def test_no_docker_here_is_said(served: RealServer, project: Project) -> None:
    project.edit("src/lists/views.py", "from", "# A change, so that something must be built.\nfrom")

    run = project.pytest(
        f"--deploy-to={_as_plain_host(served)}", *_ssh_config(served), env={"DOCKER_HOST": "unix:///nowhere.sock"}
    )

    assert_one_sentence(run)
    assert "unix:///nowhere.sock" in run.output


def test_a_dockerfile_that_does_not_build_shows_the_failing_step(served: RealServer, project: Project) -> None:
    project.edit("Dockerfile", "WORKDIR /app", "RUN echo the reason is here && exit 3\nWORKDIR /app")

    run = project.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert "the reason is here" in run.output
    assert "does not build" in run.output
    assert run.outcomes["Build image"] == "failed"


def test_a_container_that_dies_on_start_shows_its_log(served: RealServer, project: Project) -> None:
    project.write("src/superlists/wsgi.py", 'raise SystemExit("no reason to live")\n')

    run = project.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert "no reason to live" in run.output
    assert run.outcomes["Await health"] == "failed"


def test_a_health_path_that_never_answers_well_is_named(served: RealServer, project: Project) -> None:
    project.edit("deploy.toml", 'health = "/health"', 'health = "/no-such-page"')
    project.edit("src/lists/views.py", "from", "# A change, so that there is something to deploy.\nfrom")

    run = project.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert "/no-such-page answers 404" in run.output


def test_a_host_that_django_does_not_allow_names_the_setting(served: RealServer, project: Project) -> None:
    project.edit("deploy.toml", 'DJANGO_ALLOWED_HOSTS = "{host}"', 'DJANGO_ALLOWED_HOSTS = "other.example.com"')

    run = project.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert "ALLOWED_HOSTS" in run.output


def test_a_migration_that_fails_shows_its_error(served: RealServer, project: Project) -> None:
    project.write("src/lists/migrations/0004_broken.py", BROKEN_MIGRATION)

    run = project.pytest(f"--deploy-to={served.target}")

    assert_one_sentence(run)
    assert "no such table: no_such_table" in run.output
    assert run.outcomes["Rehearse the migration"] == "failed"


def test_with_workers_it_is_one_report_too(served: RealServer, project: Project) -> None:
    project.write("src/superlists/wsgi.py", 'raise SystemExit("no reason to live")\n')

    run = project.pytest(f"--deploy-to={served.target}", "-n2")

    assert_one_sentence(run)


def _as_plain_host(server: RealServer) -> str:
    return server.sandbox.destination


def _ssh_config(server: RealServer) -> list[str]:
    return [f"--ssh-config={server.sandbox.ssh_config}"]
