"""Caddy's configuration: which host is whose, and that a file says where an app's visitors go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from deploy_plugin.server.engine import ContainerSpec

IMAGE = "caddy:2.11"
NETWORK = "deploy"
"""Where the proxy finds the containers of all apps by their names."""
PROXY = "proxy"
"""The role of its container."""
PORT = 8080
"""In the container: any user may listen there."""
_FOLDER = PurePosixPath("/proxy")
_PATIENCE = "10s"
"""How long a request waits for a container that is started again: a visitor sees a pause, not an error."""
_NEW = ".new"
# What ends TLS in front of this server, and says so in X-Forwarded-Proto, is believed from a private network.
_PRIVATE = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fd00::/8")


def with_site(config: bytes | None, app: str, host: str) -> bytes:
    """Give the configuration with this app's site in it, in place of what was said of the app or the host before."""
    sites = dict(_sites(config))
    if sites.get(app) != host:
        sites = {name: known for name, known in sites.items() if name == app or known != host} | {app: host}
    return _config(sites)


def spec(port: int, *, folder: PurePosixPath, user: tuple[int, int], labels: dict[str, str]) -> ContainerSpec:
    """Say how the proxy that is published on ``port`` is run; ``folder`` holds its configuration and the upstreams."""
    return ContainerSpec(
        name=container_name(port),
        image=IMAGE,
        labels=labels,
        reads={folder: _FOLDER},
        user=":".join(map(str, user)),
        port=PORT,
        publish=port,
        stays=True,
        command=("caddy", "run", "--config", str(_inside(port))),
        network=NETWORK,
        # The official image's program carries this one, and can't be started by anybody who may not have it.
        capabilities=("NET_BIND_SERVICE",),
    )


def container_name(port: int) -> str:
    return f"{PROXY}-{port}"


def reload_command(port: int) -> Sequence[str]:
    """Read another configuration, from ``as_new`` of the file: for another app or host, never for another release."""
    return ("caddy", "reload", "--config", str(as_new(_inside(port))))


def as_new(config: PurePosixPath) -> PurePosixPath:
    """Give the file beside a configuration that holds it until the running proxy has taken it."""
    return config.with_name(config.name + _NEW)


def _inside(port: int) -> PurePosixPath:
    return _FOLDER / f"{port}.json"


def _sites(config: bytes | None) -> list[tuple[str, str]]:
    """Give each app that a configuration knows, with its host, in their order."""
    if not config:
        return []
    routes: list[dict[str, Any]] = json.loads(config)["apps"]["http"]["servers"]["sites"]["routes"]
    return [(route["@id"], route["match"][0]["host"][0]) for route in routes if "@id" in route]


def _config(sites: dict[str, str]) -> bytes:
    routes = [{"@id": app, "match": [{"host": [host]}], **_to(app)} for app, host in sites.items()]
    server = {
        "listen": [f":{PORT}"],
        "automatic_https": {"disable": True},
        "protocols": ["h1"],
        # The first app gets what is nobody's, as it did when it was alone, and says itself which hosts it knows.
        "routes": [*routes, _to(next(iter(sites)))],
    }
    config = {"admin": {"config": {"persist": False}}, "apps": {"http": {"servers": {"sites": server}}}}
    return json.dumps(config, indent=1).encode() + b"\n"


def _to(app: str) -> dict[str, Any]:
    to_the_container = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"{{file.{_FOLDER}/upstreams/{app}}}"}],
        # What may change something is tried again only where no connection was made: it never arrives twice.
        "load_balancing": {"try_duration": _PATIENCE, "try_interval": "100ms"},
        # A connection kept from the request before may be closed by the app just as the next one is written to it.
        "transport": {"protocol": "http", "keep_alive": {"enabled": False}},
        "trusted_proxies": list(_PRIVATE),
    }
    return {"handle": [to_the_container], "terminal": True}
