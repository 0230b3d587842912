"""The command pytest-deploy, on a real server to which the site was deployed once."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.integration.projects import Project
from tests.integration.servers import RealServer

SENTINEL = "s3ntinel-by-hand"
PLUGIN = """
def pytest_deploy_targets(config):
    return {{"added": {{"host": "{host}"}}, "nowhere": {{"host": "127.0.0.1:1"}}}}
"""
MOST_LINES = 10  # other visitors, such as the image's own health check, may come in between
SPEAKS = "import sys; print('out'); print('err', file=sys.stderr); print(sys.stdin.read()); sys.exit(7)"


@pytest.fixture(scope="module")
def site(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose conftest names the server, and that was deployed there."""
    project = Project.copy_of_the_site(tmp_path_factory.mktemp("command") / "superlists")
    project.write("conftest.py", PLUGIN.format(host=server.target))
    project.commit("Name the server")
    run = project.pytest("--deploy-to=added")
    assert run.exit_code == 0, run.output
    return project


def start(project: Project, *argv: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "deploy_plugin.cli", *argv]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=project.folder, stdin=stdin, stdout=pipe, stderr=pipe, text=True)


def run(project: Project, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    process = start(project, *argv, stdin=subprocess.PIPE)
    out, err = process.communicate(stdin, timeout=60)
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def environment(project: Project) -> Mapping[str, str]:
    lines = run(project, "exec", "added", "--", "printenv").stdout.splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_a_target_that_a_plugin_adds_is_there_with_its_address(site: Project, server: RealServer) -> None:
    done = run(site, "targets", "--json")
    added = next(row for row in json.loads(done.stdout) if row["name"] == "added")
    assert added["named"] == "conftest.py"
    assert (added["destination"], added["url"]) == (server.sandbox.destination, server.sandbox.url)


def test_status_says_what_serves_and_one_that_is_unreachable_hides_it_not(site: Project, server: RealServer) -> None:
    well = run(site, "status", "added", "--json")
    assert well.returncode == 0, well.stdout + well.stderr
    (seen,) = json.loads(well.stdout)
    assert seen["container"] == server.serving().split()[0]
    assert (seen["commit"], seen["healthy"], seen["state"]) == (site.git("rev-parse", "HEAD"), True, "running")
    assert seen["started"] < f"{seen['since']}Z"
    assert 0 < seen["disk_used"] < seen["disk_free"]
    assert seen["records"][0]["release"] == seen["release"]

    both = run(site, "status", "nowhere", "added")
    assert both.returncode == 30
    assert "can't be reached." in both.stdout
    assert "running, healthy" in both.stdout


def test_looking_changes_nothing_on_the_server(site: Project, server: RealServer) -> None:
    before = server.containers(), server.files()
    for line in (["status", "added"], ["logs", "added"], ["secrets", "added", "list"]):
        assert run(site, *line).returncode == 0
    assert (server.containers(), server.files()) == before


def test_the_log_is_shown_and_followed_until_ctrl_c(site: Project, server: RealServer) -> None:
    assert len(run(site, "logs", "added", "--lines=2").stdout.splitlines()) == 2
    process = start(site, "logs", "added", "--follow", "--lines=1")
    try:
        assert process.stdout
        assert process.stdout.readline()
        server.status("/here-we-are")
        lines = [process.stdout.readline()]
        while "/here-we-are" not in lines[-1] and len(lines) < MOST_LINES:
            lines.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
    finally:
        process.kill()
        _, err = process.communicate()
    assert "/here-we-are" in lines[-1]
    assert err == ""


def test_a_command_gets_our_stdin_and_gives_its_streams_and_exit_code(site: Project) -> None:
    done = run(site, "exec", "added", "--", "python", "-c", SPEAKS, stdin="typed")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\ntyped\n", "err\n")
    assert run(site, "exec", "--manage", "added", "migrate", "--check").returncode == 0


def test_on_a_terminal_the_command_gets_one_too(site: Project) -> None:
    ours, its = pty.openpty()
    argv = [sys.executable, "-m", "deploy_plugin.cli", "exec", "added", "--", "sh", "-c", "tty; exit 9"]
    done = subprocess.run(argv, cwd=site.folder, stdin=its, stdout=its, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (9, b"")
    assert b"/dev/pts/" in os.read(ours, 1000)
    for end in (ours, its):
        os.close(end)


def test_a_new_value_makes_a_new_release_and_is_shown_nowhere(site: Project, server: RealServer) -> None:
    before, serving = environment(site), server.serving()
    said = [
        run(site, "secrets", "added", "set", "EMAIL_PASSWORD", stdin=f"{SENTINEL}\n"),
        run(site, "secrets", "added", "rotate", "DJANGO_SECRET_KEY"),
    ]
    assert [done.returncode for done in said] == [0, 0], said
    assert server.serving() == serving
    assert server.sh("stat -c '%a %U' deploy/superlists/.env") == "600 deploy"

    deploy = site.pytest("--deploy-to=added")

    assert deploy.exit_code == 0, deploy.output
    after = environment(site)
    assert server.serving() != serving
    assert after["EMAIL_PASSWORD"] == SENTINEL
    assert len(after["DJANGO_SECRET_KEY"]) == 50
    assert after["DJANGO_SECRET_KEY"] != before["DJANGO_SECRET_KEY"]
    said += [run(site, *line) for line in (["secrets", "added", "list", "--json"], ["status", "added"])]
    shown = "".join(done.stdout + done.stderr for done in said) + deploy.output
    for value in (SENTINEL, before["DJANGO_SECRET_KEY"], after["DJANGO_SECRET_KEY"]):
        assert value not in shown


def test_a_secret_that_the_app_logs_is_masked(site: Project) -> None:
    value = environment(site)["DJANGO_SECRET_KEY"]
    log_it = "import os; open('/proc/1/fd/1', 'w').write(os.environ['DJANGO_SECRET_KEY'] + '\\n')"
    assert run(site, "exec", "added", "--", "python", "-c", log_it).returncode == 0
    done = run(site, "logs", "added", "--lines=5")
    assert "********" in done.stdout
    assert value not in done.stdout


def test_nothing_of_a_command_is_left_on_this_machine(
    site: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert run(site, "status", "added", "nowhere").returncode == 30
    assert [*tmp_path.iterdir()] == []
