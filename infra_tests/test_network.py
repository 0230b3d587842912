"""The site answers where it should, and nothing else of the app can be reached."""

from __future__ import annotations

import urllib.request
from typing import Any

from testinfra.host import Host

from deploy_plugin.models import Deployment


def test_the_site_answers(deployment: Deployment) -> None:
    with urllib.request.urlopen(deployment.url + deployment.app.health, timeout=10) as answer:  # noqa: S310 - the target's own URL
        assert answer.status == 200


def test_only_the_site_s_port_is_published(front: dict[str, Any], deployment: Deployment) -> None:
    published = {
        int(outside["HostPort"])
        for bindings in front["NetworkSettings"]["Ports"].values()
        for outside in bindings or ()
    }

    assert published == {deployment.target.publish}


def test_nothing_else_of_the_app_can_be_reached(host: Host, deployment: Deployment) -> None:
    label = f"label=deploy.app={deployment.app.name}"
    listing = host.check_output("docker ps --filter %s --format '{{.Names}} {{.Ports}}'", label)
    published = [line.split()[0] for line in listing.splitlines() if "->" in line]

    assert published == ([] if deployment.proxied else [deployment.container])
