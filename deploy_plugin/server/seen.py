"""What a run read on a server is not asked for again, as long as the run changes nothing there."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from deploy_plugin.errors import StepFailed
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server

# Files, and folders whose env files are meant: a line for the path, one for what it holds; none for what is not there.
_READ = r"""
one() {
    [ -f "$1" ] || return 0
    printf '%s\n' "$1" && base64 -w 0 <"$1" && echo
}
for path do
    if [ -d "$path" ]; then
        for file in "$path"/*.env; do one "$file" || exit; done
    else
        one "$path" || exit
    fi
done
"""


def read_all(server: Server, *paths: PurePosixPath) -> dict[PurePosixPath, bytes]:
    """Read files, and the env files of folders, in one round trip; what is not there is left out."""
    if isinstance(server, _Seen) and server.holds(paths):
        return server.within(paths)
    done = script(server, _READ, *paths)
    if not done.ok:
        raise StepFailed(
            f"{paths[0].parent} can't be read on the server.",
            got=done.stderr.decode(errors="replace").strip(),  # what was read may be secret
            hint="Put it right on the server: the user that deploys must be able to read it.",
        )
    lines = done.stdout.decode().splitlines()
    return {
        PurePosixPath(path): base64.b64decode(content) for path, content in zip(lines[::2], lines[1::2], strict=True)
    }


def seen(server: Server, *paths: PurePosixPath) -> Server:
    """Give the same server, which reads each file once: ``paths`` now, in one round trip, and others when asked.

    That is for the looks of a run that nobody else may disturb, as it holds the lease. Whoever changes something asks
    ``unseen`` for the server, which forgets all of it.
    """
    return cast("Server", _Seen(server, paths))


def behind(server: Server) -> Server:
    """Give the server itself, for a look beside the run's own: what is known stays known."""
    return server.server if isinstance(server, _Seen) else server


def unseen(server: Server) -> Server:
    """Give the server itself, to change something there."""
    if isinstance(server, _Seen):
        server.forget()
        return server.server
    return server


class _Seen:
    def __init__(self, server: Server, paths: Sequence[PurePosixPath]) -> None:
        self.server = server
        self._whole = frozenset(paths)
        self._found = read_all(server, *paths)
        self._known: dict[PurePosixPath, bytes | None] = dict.fromkeys(paths) | self._found

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the server has
        return getattr(self.server, name)

    def read(self, path: PurePosixPath) -> bytes | None:
        if path not in self._known:
            self._known[path] = self.server.read(path)
        return self._known[path]

    def holds(self, paths: Sequence[PurePosixPath]) -> bool:
        """Whether all that is in these files and folders is known."""
        return self._whole.issuperset(paths)

    def within(self, paths: Sequence[PurePosixPath]) -> dict[PurePosixPath, bytes]:
        return {path: content for path, content in self._found.items() if {path, path.parent} & set(paths)}

    def forget(self) -> None:
        self._whole = frozenset()
        self._known.clear()
