"""The main path, on a real server."""

from __future__ import annotations

from deploy_plugin import sandbox
from tests.integration.projects import Project
from tests.integration.servers import RealServer

NEW_SETTING = 'DJANGO_ALLOWED_HOSTS = "{host}"\nCOLOUR = "green"'


def test_a_first_deploy_makes_everything_and_the_tests_see_it(empty_server: RealServer, project: Project) -> None:
    run = project.pytest(f"--deploy-to={empty_server.target}")

    assert run.exit_code == 0, run.output
    assert "1 passed" in run.output
    assert run.report["target"] == empty_server.target
    assert run.report["commit"] == project.git("rev-parse", "HEAD")
    assert run.report["url"] == empty_server.sandbox.url
    assert run.report["outcome"] == "changed"
    assert empty_server.status("/health") == 200
    assert empty_server.sh("stat -c '%a %U' deploy/superlists/.env") == "600 deploy"


def test_a_second_deploy_of_the_same_commit_touches_nothing(empty_server: RealServer, project: Project) -> None:
    first = project.pytest(f"--deploy-to={empty_server.target}")
    containers, files = empty_server.containers(), empty_server.files()

    second = project.pytest(f"--deploy-to={empty_server.target}")

    assert second.exit_code == 0, second.output
    assert set(second.outcomes.values()) == {"ok"}
    assert second.report["bytes_sent"] == 0
    assert second.report["release"] == first.report["release"]
    assert empty_server.containers() == containers
    assert empty_server.files() == files


def test_a_changed_setting_makes_a_new_release_and_keeps_the_secrets(
    empty_server: RealServer, project: Project
) -> None:
    first = project.pytest(f"--deploy-to={empty_server.target}")
    env_file = empty_server.sh("cat deploy/superlists/.env; stat -c %Y deploy/superlists/.env")
    project.edit("deploy.toml", 'DJANGO_ALLOWED_HOSTS = "{host}"', NEW_SETTING)

    second = project.pytest(f"--deploy-to={empty_server.target}")

    assert second.exit_code == 0, second.output
    assert second.report["release"] != first.report["release"]
    assert second.outcomes["Build image"] == second.outcomes["Ship image"] == "ok"
    assert second.outcomes["Switch"] == "changed"
    assert empty_server.sh("cat deploy/superlists/.env; stat -c %Y deploy/superlists/.env") == env_file
    assert empty_server.in_app("printenv COLOUR") == "green"


def test_a_changed_secret_makes_a_new_release(empty_server: RealServer, project: Project) -> None:
    project.edit("deploy.toml", "[database]", '[app.secrets.API_KEY]\nfrom_env = "API_KEY"\n\n[database]')
    first = project.pytest(f"--deploy-to={empty_server.target}", env={"API_KEY": "first-value"})

    second = project.pytest(f"--deploy-to={empty_server.target}", env={"API_KEY": "second-value"})

    assert second.exit_code == 0, second.output
    assert second.report["release"] != first.report["release"]
    assert second.outcomes["Ensure env file"] == "changed"
    assert empty_server.in_app("printenv API_KEY") == "second-value"
    assert "first-value" not in first.output
    assert "second-value" not in second.output


def test_a_deploy_keeps_the_rows_that_were_there(empty_server: RealServer, project: Project) -> None:
    project.pytest(f"--deploy-to={empty_server.target}")
    insert = "from lists.models import *; List.objects.create().items.create(text='milk')"
    count = "from lists.models import *; print(Item.objects.count())"
    empty_server.shell(insert)
    project.edit("src/lists/views.py", "from", "# A change of the code.\nfrom")

    project.pytest(f"--deploy-to={empty_server.target}")

    assert empty_server.shell(count) == "1"


def test_it_works_with_two_workers(empty_server: RealServer, project: Project) -> None:
    run = project.pytest(f"--deploy-to={empty_server.target}", "-n2")

    assert run.exit_code == 0, run.output
    assert "1 passed" in run.output
    assert run.output.count("Gather facts") == 1


def test_any_ssh_destination_is_a_target(empty_server: RealServer, project: Project) -> None:
    box = empty_server.sandbox

    run = project.pytest(f"--deploy-to={box.destination}", f"--ssh-config={box.ssh_config}")

    assert run.exit_code == 0, run.output
    assert empty_server.status("/health") == 200


def test_testinfra_s_identity_file_is_honoured(empty_server: RealServer, project: Project) -> None:
    box = empty_server.sandbox
    lines = box.ssh_config.read_text(encoding="utf-8").splitlines()
    identity = next(line.split(maxsplit=1)[1].strip('"') for line in lines if "IdentityFile" in line)
    project.write("ssh_config", "\n".join(line for line in lines if "IdentityFile" not in line))

    run = project.pytest(f"--deploy-to={box.destination}", "--ssh-config=ssh_config", f"--ssh-identity-file={identity}")

    assert run.exit_code == 0, run.output


def test_a_throwaway_sandbox_is_gone_afterwards(project: Project) -> None:
    run = project.pytest("--deploy-to=sandbox")

    assert run.exit_code == 0, run.output
    assert run.report["url"] not in [seen.sandbox.url for seen in sandbox.every()]


def test_verifying_runs_no_step_and_changes_nothing(empty_server: RealServer, project: Project) -> None:
    project.pytest(f"--deploy-to={empty_server.target}")
    containers, files = empty_server.containers(), empty_server.files()

    run = project.pytest(f"--verify-on={empty_server.target}")

    assert run.exit_code == 0, run.output
    assert run.report["steps"] == []
    assert empty_server.containers() == containers
    assert empty_server.files() == files
