"""Files on a server, by commands that every POSIX system has."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed

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


def read(server: Server, path: PurePosixPath) -> bytes | None:
    done = script(server, _READ, path)
    if done.exit_code == _MISSING:
        return None
    if not done.ok:
        raise StepFailed(f"{path} can't be read on the server.", got=done.text)
    return done.stdout


def write(server: Server, path: PurePosixPath, content: bytes, *, mode: int) -> None:
    done = script(server, _WRITE, path, f"{mode:o}", stdin=content)
    if not done.ok:
        raise StepFailed(f"{path} can't be written on the server.", got=done.text)
