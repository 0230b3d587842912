"""What holds the port, a proxy unless the app has none: it comes back by itself, and can do no more than it needs."""

from __future__ import annotations

from typing import Any

from testinfra.host import Host

from deploy_plugin.models import Deployment


def test_what_holds_the_port_runs_and_comes_back_by_itself(front: dict[str, Any]) -> None:
    assert front["State"]["Running"] is True
    assert front["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def test_visitors_are_sent_to_the_release(host: Host, deployment: Deployment) -> None:
    told = host.file(str(deployment.folder.home / "deploy/proxy/upstreams" / deployment.app.name))

    if deployment.proxied:
        assert told.content_string == f"{deployment.container}:{deployment.port}\n"
    else:
        assert not told.exists


def test_what_holds_the_port_can_do_no_more_than_it_needs(front: dict[str, Any], deployment: Deployment) -> None:
    may = front["HostConfig"]

    assert front["Config"]["User"].split(":")[0] not in {"", "0"}
    assert may["Privileged"] is False
    assert may["ReadonlyRootfs"] is True
    assert may["CapDrop"] == ["ALL"]
    needed = ["NET_BIND_SERVICE"] if deployment.proxied else []
    assert [name.removeprefix("CAP_") for name in may["CapAdd"] or ()] == needed
    assert "no-new-privileges" in may["SecurityOpt"]


def test_the_proxy_can_write_nothing_of_the_server_s(front: dict[str, Any], deployment: Deployment) -> None:
    written = [mount["Source"] for mount in front["Mounts"] if mount["RW"]]

    assert all(path.startswith(f"{deployment.folder.path}/") for path in written)
    assert not (written and deployment.proxied)
