"""The configuration that the proxy gets, and how it is run."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import PurePosixPath
from typing import Any

import pytest

from deploy_plugin.proxy import caddy


def server(config: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(config)["apps"]["http"]["servers"]["sites"]
    return found


def routes(config: bytes) -> list[tuple[str, str]]:
    """Give host and app of each route in their order; no host is every host."""
    return [
        (route["match"][0]["host"][0] if "match" in route else "", route["handle"][0]["upstreams"][0]["dial"])
        for route in server(config)["routes"]
    ]


def upstream(app: str) -> str:
    return f"{{file./proxy/upstreams/{app}}}"


def with_sites(*sites: tuple[str, str]) -> bytes:
    config = None
    for app, host in sites:
        config = caddy.with_site(config, app, host)
    assert config
    return config


def test_one_app_gets_whatever_comes() -> None:
    config = with_sites(("site", "example.com"))
    assert routes(config) == [("example.com", upstream("site")), ("", upstream("site"))]


def test_two_apps_get_what_is_theirs_and_the_first_what_is_nobody_s() -> None:
    config = with_sites(("site", "example.com"), ("blog", "blog.example.com"))
    assert routes(config) == [
        ("example.com", upstream("site")),
        ("blog.example.com", upstream("blog")),
        ("", upstream("site")),
    ]


def test_what_is_known_changes_no_byte() -> None:
    config = with_sites(("site", "example.com"), ("blog", "blog.example.com"))
    assert caddy.with_site(config, "site", "example.com") == config
    assert caddy.with_site(config, "blog", "blog.example.com") == config


def test_an_app_that_moves_to_another_host_keeps_its_place() -> None:
    config = with_sites(("site", "example.com"), ("blog", "blog.example.com"), ("site", "www.example.com"))
    assert routes(config)[0] == ("www.example.com", upstream("site"))
    assert len(routes(config)) == 3


def test_a_host_that_another_app_is_deployed_to_is_taken_over() -> None:
    config = with_sites(("site", "example.com"), ("blog", "example.com"))
    assert routes(config) == [("example.com", upstream("blog")), ("", upstream("blog"))]


def test_whoever_comes_first_the_same_apps_are_known() -> None:
    sites = [("a", "a.example.com"), ("b", "b.example.com"), ("c", "c.example.com")]
    known = [sorted(routes(with_sites(*order))[:-1]) for order in permutations(sites)]
    assert all(one == known[0] for one in known)


def test_a_configuration_that_an_older_version_wrote_is_brought_up_to_date() -> None:
    config = json.loads(with_sites(("site", "example.com")))
    config["apps"]["http"]["servers"]["sites"]["routes"][0]["handle"][0]["load_balancing"] = {}
    old = json.dumps(config).encode()
    assert caddy.with_site(old, "site", "example.com") == with_sites(("site", "example.com"))


def test_no_certificate_is_asked_for_and_no_state_is_kept() -> None:
    config = with_sites(("site", "example.com"))
    assert server(config)["automatic_https"] == {"disable": True}
    assert json.loads(config)["admin"]["config"] == {"persist": False}


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
