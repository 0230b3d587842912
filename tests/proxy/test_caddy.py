"""How the proxy is run."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from deploy_plugin.proxy import caddy


@pytest.mark.parametrize("port", [80, 8080])
def test_it_holds_the_port_reads_its_folder_and_stays(port: int) -> None:
    folder = PurePosixPath("/home/elspeth/deploy/proxy")
    spec = caddy.spec(port, folder=folder, user=(1000, 1001), labels={"a": "b"})
    assert (spec.name, spec.publish, spec.port) == (f"proxy-{port}", port, 8080)
    assert (spec.mounts, spec.reads) == ({}, {folder: PurePosixPath("/proxy")})
    assert (spec.user, spec.stays, spec.network) == ("1000:1001", True, "deploy")
    assert spec.command == ("caddy", "run", "--config", f"/proxy/{port}.json")
    assert caddy.reload_command(port) == ("caddy", "reload", "--config", f"/proxy/{port}.json.new")
    assert spec.capabilities == ("NET_BIND_SERVICE",)
