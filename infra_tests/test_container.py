"""The right release runs, and can do no more than it needs."""

from __future__ import annotations

from typing import Any

from testinfra.host import Host

from deploy_plugin.models import Deployment


def test_it_runs(host: Host, deployment: Deployment) -> None:
    assert host.docker(deployment.container).is_running


def test_it_is_the_right_release(container: dict[str, Any], deployment: Deployment) -> None:
    labels = container["Config"]["Labels"]

    assert container["Config"]["Image"] == deployment.release.image
    assert labels["deploy.app"] == deployment.app.name
    assert labels["deploy.release"] == deployment.release.id
    assert labels["deploy.commit"] == deployment.release.commit


def test_it_runs_the_image_of_that_name(host: Host, container: dict[str, Any], deployment: Deployment) -> None:
    named = host.check_output("docker image inspect --format '{{.Id}}' %s", deployment.release.image)

    assert container["Image"] == named


def test_it_is_not_root(host: Host, deployment: Deployment) -> None:
    uid = host.check_output("docker exec %s id -u", deployment.container)

    assert int(uid) == deployment.user[0] != 0


def test_it_can_do_no_more_than_it_needs(container: dict[str, Any]) -> None:
    may = container["HostConfig"]

    assert may["Privileged"] is False
    assert may["ReadonlyRootfs"] is True
    assert may["CapDrop"] == ["ALL"]
    assert not may["CapAdd"]
    assert "no-new-privileges" in may["SecurityOpt"]


def test_it_comes_back_by_itself(container: dict[str, Any]) -> None:
    assert container["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def test_its_log_does_not_fill_the_disk(container: dict[str, Any]) -> None:
    log = container["HostConfig"]["LogConfig"]

    assert log["Type"] == "local"
    assert {"max-size", "max-file"} <= log["Config"].keys()
