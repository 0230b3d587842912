"""The configuration that the proxy gets."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.proxy.sites import Site, with_site


def server(config: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(config)["apps"]["http"]["servers"]["sites"]
    return found


def routes(config: bytes) -> list[tuple[str, str]]:
    """Give host and app of each route in their order; no host is every host."""
    return [
        (route["match"][0]["host"][0] if "match" in route else "", proxies(route)[-1]["upstreams"][0]["dial"])
        for route in server(config)["routes"]
    ]


def proxies(route: dict[str, Any]) -> list[dict[str, Any]]:
    """Give what a route does: for kept files first, if there are any, then for everything else."""
    closed, *others = route["handle"][0]["routes"]
    assert "file" in closed["match"][0]
    return [one["handle"][0] for one in others]


def upstream(app: str) -> str:
    return f"{{file./proxy/upstreams/{app}}}"


def with_sites(*sites: tuple[str, str]) -> bytes:
    config = None
    for app, host in sites:
        config = with_site(config, Site(app, host, "/static/"))
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
    assert with_site(config, Site("site", "example.com", "/static/")) == config
    assert with_site(config, Site("blog", "blog.example.com", "/static/")) == config


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
    config["apps"]["http"]["servers"]["sites"]["routes"][0]["handle"] = [{"handler": "reverse_proxy"}]
    old = json.dumps(config).encode()
    assert with_site(old, Site("site", "example.com", "/static/")) == with_sites(("site", "example.com"))


def test_no_certificate_is_asked_for_and_no_state_is_kept() -> None:
    config = with_sites(("site", "example.com"))
    assert server(config)["automatic_https"] == {"disable": True}
    assert json.loads(config)["admin"]["config"] == {"persist": False}


def test_another_path_of_static_files_is_another_configuration() -> None:
    config = with_sites(("site", "example.com"))
    other = with_site(config, Site("site", "example.com", "/assets/"))
    assert other != config
    assert with_site(other, Site("site", "example.com", "/assets/")) == other
    assert with_site(other, Site("site", "example.com", "/static/")) == config


def test_only_what_may_be_kept_is_looked_for_among_the_files() -> None:
    (kept, rest) = proxies(server(with_sites(("site", "example.com")))["routes"][0])
    assert [answer["match"] for answer in kept["handle_response"]] == [{"status_code": [404]}]
    assert "handle_response" not in rest
    assert kept["upstreams"] == rest["upstreams"]


def test_where_no_files_are_kept_nothing_is_looked_for() -> None:
    config = with_site(None, Site("site", "example.com", ""))
    assert b"handle_response" not in config
    assert with_site(config, Site("site", "example.com", "")) == config


@pytest.mark.parametrize("damaged", [b"{", b"{}", b"[]", b'{"apps": {"http": {"servers": {"sites": {"routes": 1}}}}}'])
def test_what_can_not_be_understood_is_a_sentence(damaged: bytes) -> None:
    with pytest.raises(StepFailed, match="configuration on the server can't be understood") as caught:
        with_site(damaged, Site("site", "example.com", "/static/"))
    assert "deploy each app again" in caught.value.hint
