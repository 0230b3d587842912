"""The site answers where it should, and nothing else of the app can be reached."""

from __future__ import annotations

import urllib.request
from typing import Any

from testinfra.host import Host

from deploy_plugin.models import Deployment


def test_the_site_answers(deployment: Deployment) -> None:
    with urllib.request.urlopen(deployment.url + deployment.app.health, timeout=10) as answer:  # noqa: S310 - the target's own URL
        assert answer.status == 200


def test_only_the_site_s_port_is_published(container: dict[str, Any], deployment: Deployment) -> None:
    published = {
        (inside, int(outside["HostPort"]))
        for inside, bindings in container["NetworkSettings"]["Ports"].items()
        for outside in bindings or ()
    }

    assert published == {(f"{deployment.port}/tcp", deployment.target.publish)}


def test_no_other_container_of_the_app_can_be_reached(host: Host, deployment: Deployment) -> None:
    listing = host.check_output(
        "docker ps --filter label=deploy.app=%s --format '{{.Names}} {{.Ports}}'", deployment.app.name
    )
    published = [line.split()[0] for line in listing.splitlines() if "->" in line]

    assert published == [deployment.container]
