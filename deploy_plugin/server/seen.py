"""What a run saw on a server is not asked for again, as long as the run changes nothing there."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, cast

from deploy_plugin.errors import StepFailed
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Answer, Server
    from deploy_plugin.server.engine import Engine

_LOOKS = frozenset(("image", "tagged", "container", "containers", "listing"))
"""What an engine is asked that a run may want to know more than once."""
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

    Its engine is asked for each image and each container once as well, and so is a site that answers well. That is for
    the looks of a run that nobody else may disturb, as it holds the lease: who waits for a change asks ``behind`` for
    the server. Whoever changes something asks ``unseen``, which forgets all of it.
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
        self._looks: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the server has
        return getattr(self.server, name)

    @property
    def engine(self) -> _SeenEngine:
        return _SeenEngine(self.server.engine, self._looks)

    def read(self, path: PurePosixPath) -> bytes | None:
        if path not in self._known:
            self._known[path] = self.server.read(path)
        return self._known[path]

    def get(self, address: str, port: int, path: str, *, host: str) -> Answer:
        asked = f"{address}:{port}{path} {host}"
        answer: Answer | None = self._looks.get(asked)
        if answer is None or not answer.ok:
            answer = self._looks[asked] = self.server.get(address, port, path, host=host)
        return answer

    def holds(self, paths: Sequence[PurePosixPath]) -> bool:
        """Whether all that is in these files and folders is known."""
        return self._whole.issuperset(paths)

    def within(self, paths: Sequence[PurePosixPath]) -> dict[PurePosixPath, bytes]:
        return {path: content for path, content in self._found.items() if {path, path.parent} & set(paths)}

    def forget(self) -> None:
        self._whole = frozenset()
        self._known.clear()
        self._looks = {}


class _SeenEngine:
    def __init__(self, engine: Engine, known: dict[str, Any]) -> None:
        self._engine = engine
        self._known = known

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the engine has
        act = getattr(self._engine, name)
        return partial(self._look, name, act) if name in _LOOKS else act

    def _look(self, name: str, act: Callable[..., object], *of: object) -> object:
        asked = f"{name}{of}"
        if asked not in self._known:
            self._known[asked] = act(*of)
        return self._known[asked]
