"""Files whose names carry a hash of their content: kept of each release, for pages that visitors loaded before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.proxy.upstreams import ProxyFolder
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePosixPath

    from deploy_plugin.server.base import Server

HASHED = """
import json, os, sys, tarfile

root, *others = sys.argv[1:]
others += ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/tmp", "/usr"]


def manifests():
    for folder, below, names in os.walk(root):
        if "staticfiles.json" in names:
            yield folder
        packages = {"site-packages", "dist-packages", "node_modules"}
        below[:] = [name for name in below if name not in packages and os.path.join(folder, name) not in others]


def hashed(folder):
    with open(os.path.join(folder, "staticfiles.json"), encoding="utf-8") as manifest:
        paths = json.load(manifest)["paths"]
    return sorted({name for plain, name in paths.items() if name != plain})


def readable(member):
    member.mode = 0o644
    return member


with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", dereference=True) as archive:
    for folder in manifests():
        for name in hashed(folder):
            if os.path.isfile(os.path.join(folder, name)):
                archive.add(os.path.join(folder, name), name, filter=readable)
        break
"""
"""Python for the release's container: write an archive of what Django's manifest says has a hash in its name.

Its arguments: where to begin, and the folders to leave out.
"""
# $1: where to; $2: the proxy's folder, where nothing is served from; $3: the container; $4: HASHED; then its arguments.
_KEEP = """
set -e
umask 022
to=$1 folder=$2 name=$3 code=$4
shift 4
new=$(mktemp -d -- "$folder/kept.XXXXXX")
trap 'rm -rf -- "$new"' EXIT
chmod 755 -- "$new"
mkdir "$new/files"
docker exec "$name" python -I -S -c "$code" "$@" >"$new/archive"
tar -x -f "$new/archive" -C "$new/files"
mkdir -p -- "$(dirname -- "$to")"
rm -rf -- "$to"
mv -- "$new/files" "$to"
find "$to" -type f | wc -l
"""


def keep(server: Server, app: str, release_id: str, container: str, left_out: Iterable[PurePosixPath]) -> int:
    """Take them from the running container, and say how many there are."""
    folder = ProxyFolder(server.facts.home)
    to = folder.static(app, release_id)
    done = script(server, _KEEP, to, folder.path, container, HASHED, "/", *left_out)
    if not done.ok:
        raise StepFailed(
            f"The static files of {container} can't be kept.",
            got=done.text,
            hint=hint_for(done.text, 'Deploy again; or do without: static = "" in deploy.toml.'),
        )
    return int(done.stdout)
