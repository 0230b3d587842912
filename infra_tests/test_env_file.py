"""The server's own secrets are there, and nobody else can read them."""

from __future__ import annotations

from testinfra.host import Host

from deploy_plugin.models import Deployment


def test_only_its_owner_can_read_the_env_file(host: Host, deployment: Deployment) -> None:
    env_file = host.file(str(deployment.folder.env_file))

    assert env_file.is_file
    assert env_file.mode == 0o600
    assert env_file.user == host.user().name


def test_every_secret_has_a_value(host: Host, deployment: Deployment) -> None:
    # Only names come back: what a value is stays on the server.
    names = host.check_output("sed -n 's/=..*//p' %s", str(deployment.folder.env_file)).split()

    assert set(deployment.app.secrets) <= set(names)
