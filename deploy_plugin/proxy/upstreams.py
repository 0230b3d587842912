"""Where an app's visitors go: one small file on the server, which the proxy reads for every request."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

READABLE = 0o644
"""The proxy may run as another user than the one who writes: what it reads is no secret."""
_MAKE_FOLDERS = """
for folder in "$1" "$1/upstreams" "$1/maintenance"; do
    mkdir -p -- "$folder" && chmod 755 -- "$folder" || exit
done
"""


@dataclass(frozen=True, slots=True)
class ProxyFolder:
    """What the proxies of a deploy user read: ``deploy/proxy`` in the home."""

    home: PurePosixPath

    @property
    def path(self) -> PurePosixPath:
        return self.home / "deploy" / "proxy"

    def config(self, port: int) -> PurePosixPath:
        """The configuration of the proxy that is published on a port."""
        return self.path / f"{port}.json"

    def upstream(self, app: str) -> PurePosixPath:
        """The file that names the container, and its port, which the app's visitors go to."""
        return self.path / "upstreams" / app

    def page(self, app: str) -> PurePosixPath:
        """The maintenance page: while it is there, it is all that the app's visitors get."""
        return self.path / "maintenance" / app

    def static(self, app: str, release_id: str) -> PurePosixPath:
        """The release's files whose names carry a hash."""
        return self.path / "static" / app / release_id


def make_folder(server: Server, folder: ProxyFolder) -> None:
    done = script(server, _MAKE_FOLDERS, folder.path)
    if not done.ok:
        hint = hint_for(done.text, "Put it right on the server: the user that deploys must be able to write there.")
        raise StepFailed(f"{folder.path} can't be made on the server.", got=done.text, hint=hint)


def told(server: Server, app: str) -> str | None:
    """Name the container that the app's visitors go to; None where the proxy was never told of the app."""
    return named(content(server, app))


def named(said: bytes | None) -> str | None:
    """Name the container in what the proxy is told."""
    return said.decode().strip().rpartition(":")[0] if said else None


def tell(server: Server, app: str, container: str, port: int) -> None:
    """Send the app's visitors to another container, from their next request on: one rename, never half a file."""
    put(server, app, f"{container}:{port}\n".encode())


def content(server: Server, app: str) -> bytes | None:
    """Give what the proxy is told, as it is written; None where it was never told of the app."""
    return server.read(_path(server, app))


def put(server: Server, app: str, said: bytes | None) -> None:
    """Tell the proxy what was told before; None lets it forget the app."""
    if said is None:
        forget(server, app)
    else:
        server.write(_path(server, app), said, mode=READABLE)


def forget(server: Server, app: str) -> None:
    """Let the proxy know nothing of the app any more: nobody is to come that way."""
    script(server, 'rm -f -- "$1"', _path(server, app))


def _path(server: Server, app: str) -> PurePosixPath:
    return ProxyFolder(server.facts.home).upstream(app)
