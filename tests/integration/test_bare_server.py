"""A server that has nothing but sshd."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy_plugin.sandbox import image
from tests.integration.conftest import booted
from tests.integration.projects import Project
from tests.integration.servers import RealServer

LET_ROOT_IN = """
set -e
sudo install -d -m 700 /root/.ssh
sudo cp ~/.ssh/authorized_keys /root/.ssh/authorized_keys
sudo chown root:root /root/.ssh/authorized_keys
sudo sed -i 's/^PermitRootLogin.*/PermitRootLogin prohibit-password/' /etc/ssh/sshd_config.d/sandbox.conf
sudo pkill -HUP -o sshd
"""


def test_a_bare_server_gets_docker_and_the_site(bare_server: RealServer, project: Project) -> None:
    assert bare_server.sh("command -v docker dockerd || true") == ""

    first = project.pytest(f"--deploy-to={bare_server.target}")

    assert first.exit_code == 0, first.output
    assert first.outcomes["Install Docker"] == "changed"
    assert bare_server.status("/health") == 200
    assert "docker" in bare_server.sh("id -nG").split()

    second = project.pytest(f"--deploy-to={bare_server.target}")

    assert second.exit_code == 0, second.output
    assert set(second.outcomes.values()) == {"ok"}


@pytest.fixture
def debian_13(monkeypatch: pytest.MonkeyPatch) -> Iterator[RealServer]:
    """A bare server of the Debian on which the docker command is a package of its own."""
    monkeypatch.setattr(image, "RECIPES", {None: image.Recipe("bare", image.TRIXIE)})
    with booted(bare=True) as server:
        yield server


def test_debian_13_gets_docker_with_its_command(debian_13: RealServer, project: Project) -> None:
    debian_13.sh("sudo apt-get update -qq && sudo apt-get install -qq -y --no-install-recommends docker.io")
    assert debian_13.sh("command -v docker || true") == ""
    project.take("infra_tests")

    first = project.pytest(f"--deploy-to={debian_13.target}")

    assert first.exit_code == 0, first.output
    assert first.outcomes["Install Docker"] == "changed"
    assert debian_13.status("/health") == 200


def test_root_deploys_an_app_that_is_not_root(bare_server: RealServer, project: Project) -> None:
    project.pytest(f"--deploy-to={bare_server.target}")
    bare_server.wipe()  # what is another user's would stop it
    bare_server.sh(LET_ROOT_IN)
    as_root = bare_server.sandbox.destination.replace("deploy@", "root@")
    config = project.folder / "ssh_config"
    mine = bare_server.sandbox.ssh_config.read_text(encoding="utf-8")
    config.write_text(mine.replace("User deploy", "User root"), encoding="utf-8")

    run = project.pytest(f"--deploy-to={as_root}", f"--ssh-config={config}")

    assert run.exit_code == 0, run.output
    (container,) = bare_server.releases()
    assert bare_server.sh(f"docker exec {container} id -u") == "1234"
    assert bare_server.sh("docker inspect -f '{{.Config.User}}' proxy-80") == "1234:1234"
    assert bare_server.sh("sudo stat -c %u /root/deploy/superlists/data/db.sqlite3") == "1234"
