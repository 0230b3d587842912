"""Where an app's visitors go, and how they are sent back there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.containers import APP, ROLE, SERVING, Containers, running
from deploy_plugin.errors import DeployError, RollbackFailed
from deploy_plugin.health import Probe, await_any_answer
from deploy_plugin.models import App, AppFolder
from deploy_plugin.proxy import caddy, upstreams
from deploy_plugin.proxy.upstreams import ProxyFolder
from deploy_plugin.server.engine import Container
from deploy_plugin.server.files import detached, script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

# $1: seconds; $2: the container; $3: the file that says where visitors go; $4: a folder, to be locked.
# They may have been sent back meanwhile.
_DRAIN = """
sleep "$1"
exec 9<"$4"
flock 9
case "$(cat -- "$3")" in "$2":*) exit ;; esac
docker stop "$2"
"""
# $1: the folder; $2: the container. Where it runs, that is no change.
_SPARE = 'exec 9<"$1"; flock 9; docker start "$2"'


@dataclass(frozen=True, slots=True)
class Traffic:
    """Where they go: through the proxy, or straight to a container that holds the port."""

    upstream: bytes | None
    """What the proxy is told; None where it was never told of the app."""
    published: Sequence[str]
    """The containers that hold a port themselves."""
    proxy: bool
    """Whether the proxy ran: other apps may be behind it."""
    serving: Sequence[str]
    """The containers that answer them; none where the proxy sends them to one that does not run."""

    @property
    def container(self) -> str | None:
        """The one that the proxy sends them to."""
        return upstreams.named(self.upstream)


def look(server: Server, containers: Containers) -> Traffic:
    with ThreadPoolExecutor() as at_once:  # a server can be far, and each of them is a way there and back
        told_of = at_once.submit(upstreams.content, server, containers.app.name)
        in_front = at_once.submit(server.engine.container, caddy.container_name(containers.target.publish))
        found = server.engine.containers({APP: containers.app.name, ROLE: SERVING})
        upstream, proxy = told_of.result(), in_front.result()
    published = tuple(container.name for container in found if container.running)
    told = server.engine.container(name) if (name := upstreams.named(upstream)) else None
    return Traffic(
        upstream=upstream,
        published=published,
        proxy=proxy is not None and proxy.running,
        serving=(told.name,) if told and told.running else published,
    )


def send_back(server: Server, containers: Containers, before: Traffic) -> None:
    """Let visitors go where they went before; nothing happens where they still do."""
    if upstreams.content(server, containers.app.name) == before.upstream:
        return
    if before.published and not before.proxy:
        server.engine.remove(caddy.container_name(containers.target.publish))
        publish_again(server, containers, before.published)
    upstreams.put(server, containers.app.name, before.upstream)


@contextmanager
def or_back(server: Server, containers: Containers, before: Traffic) -> Iterator[None]:
    """Send visitors back if what is done meanwhile does not succeed; ``RollbackFailed`` where that can't be done."""
    try:
        yield
    except BaseException as error:
        try:
            send_back(server, containers, before)
        except DeployError as second:
            raise rollback_failed(error, second) from error
        raise


def rollback_failed(error: BaseException, second: DeployError) -> RollbackFailed:
    """Say that what went wrong first could not be undone, because of what went wrong then."""
    return RollbackFailed(
        "The deploy failed, and it is not certain that visitors go where they went before.",
        got=f"{error or type(error).__name__}\n{second}",
        hint="Look at the server now: docker ps -a",
    )


def drain_others(server: Server, app: App, serves: Container) -> Sequence[str]:
    """Let all others of an app behind the proxy finish what they began, and end; name them.

    The server does that by itself, ``drain`` seconds from now.
    """
    upstream = ProxyFolder(server.facts.home).upstream(app.name)
    others = [one.name for one in running(server, app) if one.name != serves.name]
    for name in others:
        detached(server, _DRAIN, str(app.drain), name, upstream, _locked(server, app))
    return others


def spare(server: Server, app: App, name: str) -> None:
    """Let a container run that visitors go to, or are about to, be it that its time was just over.

    Whoever stops it has looked where they go before that, and is waited for; whoever looks later leaves it alone.
    """
    script(server, _SPARE, _locked(server, app), name)


def _locked(server: Server, app: App) -> PurePosixPath:
    return AppFolder(server.facts.home, app.name).path / "releases"


def publish_again(server: Server, containers: Containers, names: Sequence[str]) -> None:
    """Start containers again that held the port themselves, and wait until they answer."""
    for name in names:
        # Docker goes on stopping it when whoever asked for that was interrupted: wait until it has.
        server.engine.stop(name)
        server.engine.start_again(name)
        await_any_answer(server, name, Probe.of(containers.app, containers.target))
