"""Caddy's configuration: which host is whose, and that a file says where an app's visitors go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy_plugin.errors import StepFailed
from deploy_plugin.proxy.caddy import FOLDER, PORT

Json = dict[str, Any]
_PATIENCE = "10s"
"""How long a request waits for a container that is started again: a visitor sees a pause, not an error."""
# What ends TLS in front of this server, and says so in X-Forwarded-Proto, is believed from a private network.
_PRIVATE = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fd00::/8")
_LOOKS = ["GET", "HEAD"]
MAINTENANCE = {"Retry-After": ["60"], "Cache-Control": ["no-store"], "Content-Type": ["text/html; charset=utf-8"]}
"""The headers of the answer that visitors get while the app's maintenance page is there."""
_FOR_GOOD = {"Cache-Control": ["public, max-age=31536000, immutable"], "Access-Control-Allow-Origin": ["*"]}


@dataclass(frozen=True, slots=True)
class Site:
    """What the proxy has to know of an app; where its visitors go is in a file, and no part of this."""

    app: str
    host: str
    static: str
    """The path of the files that are kept of each release, with a slash at both ends; empty where none are."""


def with_site(config: bytes | None, new: Site) -> bytes:
    """Give the configuration with this site in it, in place of what was said of the app or the host before."""
    sites = {site.app: site for site in _sites(config) if site.app == new.app or site.host != new.host}
    return _config([*(sites | {new.app: new}).values()])


def _sites(config: bytes | None) -> Sequence[Site]:
    """Give the sites that a configuration knows, in their order."""
    try:
        routes: Sequence[Json] = json.loads(config)["apps"]["http"]["servers"]["sites"]["routes"] if config else ()
        return [_site(route) for route in routes if "@id" in route]
    except (ValueError, LookupError, TypeError) as error:
        raise StepFailed(
            "The proxy's configuration on the server can't be understood.",
            got=repr(error),
            hint="Remove it there (its name is that of the port: deploy/proxy/80.json), then deploy each app again.",
        ) from error


def _site(route: Json) -> Site:
    matches = [one["match"][0] for one in route["handle"][0].get("routes", ()) if "match" in one]
    kept = [match["path"][0] for match in matches if "path" in match]
    return Site(route["@id"], route["match"][0]["host"][0], kept[0].removesuffix("*") if kept else "")


def _config(sites: Sequence[Site]) -> bytes:
    server = {
        "listen": [f":{PORT}"],
        "automatic_https": {"disable": True},
        "protocols": ["h1"],
        # The first app gets what is nobody's, as it did when it was alone, and says itself which hosts it knows.
        "routes": [*map(_route, sites), {"handle": [_answer(sites[0])]}],
    }
    config = {"admin": {"config": {"persist": False}}, "apps": {"http": {"servers": {"sites": server}}}}
    return json.dumps(config, indent=1).encode() + b"\n"


def _route(site: Site) -> Json:
    return {"@id": site.app, "match": [{"host": [site.host]}], "handle": [_answer(site)], "terminal": True}


def _answer(site: Site) -> Json:
    """Answer from the container; where that does not know a kept file any more, from the files.

    While there is a maintenance page, answer with that, whatever is asked.
    """
    to_the_container = {"handle": [_proxy(site.app)]}
    kept = {
        "match": [{"method": _LOOKS, "path": [f"{site.static}*"]}],
        "handle": [{**_proxy(site.app), "handle_response": [_from_the_files(site)]}],
        "terminal": True,
    }
    return {"handler": "subroute", "routes": [_closed(site.app), *([kept] if site.static else []), to_the_container]}


def _closed(app: str) -> Json:
    # Looked for at each request, like the upstream: to close and to open is one rename, and one removal.
    there = {"root": f"{FOLDER}/maintenance", "try_files": [f"/{app}"]}
    page = f"{{file.{FOLDER}/maintenance/{app}}}"
    answer = {"handler": "static_response", "status_code": 503, "headers": MAINTENANCE, "body": page}
    return {"match": [{"file": there}], "handle": [answer], "terminal": True}


def _proxy(app: str) -> Json:
    return {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"{{file.{FOLDER}/upstreams/{app}}}"}],
        # What may change something is tried again only where no connection was made: it never arrives twice.
        "load_balancing": {"try_duration": _PATIENCE, "try_interval": "100ms"},
        # A connection kept from the request before may be closed by the app just as the next one is written to it.
        "transport": {"protocol": "http", "keep_alive": {"enabled": False}},
        "trusted_proxies": list(_PRIVATE),
    }


def _from_the_files(site: Site) -> Json:
    """Whichever release has it: the name carries a hash of what is in it."""
    root = f"{FOLDER}/static/{site.app}"
    there = {"root": root, "try_files": ["/*{http.request.uri.path}"]}
    found = {
        "match": [{"file": there}],
        "handle": [
            {"handler": "rewrite", "uri": "{http.matchers.file.relative}"},
            {"handler": "headers", "response": {"set": _FOR_GOOD}},
            {"handler": "file_server", "root": root},
        ],
        "terminal": True,
    }
    below = {"handle": [{"handler": "rewrite", "strip_path_prefix": site.static.rstrip("/")}]}
    as_it_was = {"handle": [{"handler": "copy_response"}]}
    return {"match": {"status_code": [404]}, "routes": [below, found, as_it_was]}
