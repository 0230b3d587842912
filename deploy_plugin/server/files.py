"""Files on a server, by commands that every POSIX system has."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.hints import hint_for

if TYPE_CHECKING:
    from deploy_plugin.server.base import Result, Server

_READ = """
[ -e "$1" ] || exit 44
exec cat -- "$1"
"""
_MISSING = 44
_WRITE = """
set -e
umask 077
mkdir -p -- "$(dirname -- "$1")"
new=$(mktemp -- "$1.XXXXXX")
trap 'rm -f -- "$new"' EXIT
cat > "$new"
chmod -- "$2" "$new"
mv -f -- "$new" "$1"
"""


def script(server: Server, text: str, *arguments: str | PurePosixPath, stdin: bytes = b"") -> Result:
    """Run a few lines of POSIX shell; the arguments arrive as ``$1``, ``$2`` …, never as part of the text."""
    return server.run("sh", "-c", text, "sh", *arguments, stdin=stdin)


def detached(server: Server, text: str, *arguments: str | PurePosixPath) -> None:
    """Run a few lines of POSIX shell that go on when the connection is gone; nobody hears of what becomes of them."""
    script(server, 'setsid sh -c "$@" </dev/null >/dev/null 2>&1 &', text, "sh", *arguments)


def read(server: Server, path: PurePosixPath) -> bytes | None:
    done = script(server, _READ, path)
    if done.exit_code == _MISSING:
        return None
    if not done.ok:
        hint = "Put it right on the server: the user that deploys must be able to read it."
        raise StepFailed(f"{path} can't be read on the server.", got=done.text, hint=hint)
    return done.stdout


def write(server: Server, path: PurePosixPath, content: bytes, *, mode: int) -> None:
    done = script(server, _WRITE, path, f"{mode:o}", stdin=content)
    if not done.ok:
        hint = hint_for(done.text, "Put it right on the server: the user that deploys must be able to write it.")
        raise StepFailed(f"{path} can't be written on the server.", got=done.text, hint=hint)
