"""Servers on which the user who deploys may not do what a deploy needs."""

from __future__ import annotations

import os
import pty
import secrets
import select
import subprocess
import sys
import time

from tests.integration.projects import Project
from tests.integration.servers import RealServer
from tests.integration.test_what_goes_wrong import assert_one_sentence

PASSWORD = "open-sesame-of-nobody"  # noqa: S105 - of a user of a sandbox
# Logs in with deploy's key, and is not in the docker group.
ADD_USER = """
set -e
useradd --create-home --shell /bin/bash {groups} {name}
install -d -m 700 -o {name} -g {name} /home/{name}/.ssh
install -m 600 -o {name} -g {name} /home/deploy/.ssh/authorized_keys /home/{name}/.ssh/authorized_keys
echo {name}:{password} | chpasswd
"""


def as_user(server: RealServer, name: str, groups: str = "") -> list[str]:
    """Give the server one more user, and what to type to deploy as that one."""
    server.as_root(ADD_USER.format(name=name, groups=groups, password=PASSWORD))
    config = server.sandbox.ssh_config
    return [f"--deploy-to={server.sandbox.destination.replace('deploy@', f'{name}@')}", f"--ssh-config={config}"]


def test_a_user_who_may_not_use_docker_is_told_who_lets_them(server: RealServer, project: Project) -> None:
    run = project.pytest(*as_user(server, "harriet"))

    assert_one_sentence(run)
    assert "harriet is not in the docker group, and harriet could not become root to change that." in run.output
    assert "usermod -aG docker harriet" in run.output
    assert run.outcomes["Install Docker"] == "failed"
    assert "docker" not in server.as_root("id -nG harriet")


def test_sudo_that_wants_a_password_says_how_where_there_is_no_terminal(server: RealServer, project: Project) -> None:
    run = project.pytest(*as_user(server, "oliver", "--groups sudo"))

    assert_one_sentence(run)
    assert "Sudo wants a password, and there is no terminal here to ask at" in run.output


def test_sudo_that_wants_a_password_gets_it_from_the_terminal(server: RealServer, project: Project) -> None:
    typed = as_user(server, "elspeth", "--groups sudo")

    exit_code, shown = at_a_terminal(project, *typed, answer=PASSWORD)

    assert exit_code == 0, shown
    assert "sudo on the server wants the password of elspeth: " in shown
    assert PASSWORD not in shown
    assert PASSWORD not in server.as_root("cat /proc/*/cmdline | tr '\\0' ' '")
    assert "docker" in server.as_root("id -nG elspeth")


def test_a_server_of_another_kind_is_told_before_anything_is_built(server: RealServer, project: Project) -> None:
    server.as_root("docker ps -aq | xargs -r docker rm -f; rm -rf /home/*/deploy")  # another user's, of another test
    server.as_root("printf '#!/bin/sh\\necho aarch64\\n' > /usr/local/bin/uname; chmod +x /usr/local/bin/uname")
    project.edit("src/lists/views.py", "from", f"# {secrets.token_hex(8)}\nfrom")
    try:
        runs = [
            project.pytest(f"--deploy-to={server.target}", *plan, env={"DOCKER_BUILDKIT": "0"})
            for plan in (["--deploy-plan"], [])
        ]
    finally:
        server.as_root("rm /usr/local/bin/uname")

    for run in runs:
        assert_one_sentence(run)
        assert "The server needs an image for linux/arm64, and this machine's Docker builds for" in run.output
        assert "BuildKit (docker-buildx) and an emulator (qemu-user-static)" in run.output
        assert run.outcomes["Build image"] == "failed"


def at_a_terminal(project: Project, *arguments: str, answer: str) -> tuple[int, str]:
    """Run pytest as a person does, who answers the first question about a password."""
    ours, theirs = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=project.folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(1), os.O_RDWR)),  # noqa: PLW1509 - makes it the controlling one
    )
    os.close(theirs)
    shown, answered, deadline = b"", False, time.monotonic() + 120
    while run.poll() is None and time.monotonic() < deadline:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
        if b"the password of" in shown and not answered:
            os.write(ours, f"{answer}\n".encode())
            answered = True
    os.close(ours)
    return run.wait(timeout=30), shown.decode(errors="replace")
