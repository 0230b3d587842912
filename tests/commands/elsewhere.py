"""A site that somebody else deployed, on a server that is a folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from deploy_plugin.server.engine import ContainerSpec
from deploy_plugin.testing import FakeServer
from tests.commands.command import Command
from tests.inner import DEPLOY_TOML, Project
from tests.site import Site, running

TOML = DEPLOY_TOML.replace("KEY =", "DJANGO_SECRET_KEY =")
KEY = "the key of the old site"
# $log: what was asked for. The database is "old rows", and has no journal.
DOCKER = """
echo "$1 $2 $3" | head -n 1 >> {log}
case "$1 $3" in
"exec python") echo digest ;;
"exec cat") printf "old rows" ;;
esac
if [ "$1" = cp ]; then
    case $3 in
    *-wal | *-journal) echo "Error: No such container:path: $3" >&2; exit 1 ;;
    esac
    [ -z "$4" ] || printf "old rows" > "$4"
fi
"""
OLD = ContainerSpec(
    name="superlists",
    image="superlists",
    env={"OLD_KEY": KEY, "DJANGO_DB_PATH": "/home/nonroot/db.sqlite3"},
    port=8888,
    publish=80,
)


def serve(project: Project, server: FakeServer, site: Site) -> None:
    """Let the old container serve there, with its database beside it on the server, as deploy.toml knows the app."""
    project.write("deploy.toml", TOML)
    site.key = KEY
    server.engine.add_image("superlists")
    server.install("docker", DOCKER.format(log=server.home.parent / "log"))
    server.install("sha256sum", "cat")
    for name in ("head", "sleep"):
        server.install(name, f'exec {shutil.which(name)} "$@"')
    database = server.home / "db.sqlite3"
    database.write_bytes(b"old rows")
    server.engine.start(replace(OLD, mounts={PurePosixPath(database): PurePosixPath("/home/nonroot/db.sqlite3")}))


def is_another(server: FakeServer, **changes: Any) -> None:
    """Let another container serve in its place: the old one, but for these changes."""
    server.engine.remove("superlists")
    server.engine.start(replace(OLD, **changes))


def asked(server: FakeServer) -> list[str]:
    """What the docker command on the server was asked for."""
    log = server.home.parent / "log"
    return [line.strip() for line in log.read_text().splitlines()] if log.exists() else []


def folder(server: FakeServer) -> Path:
    return server.home / "deploy" / "superlists"


def is_as_it_was(server: FakeServer) -> bool:
    assert (server.home / "db.sqlite3").read_bytes() == b"old rows"
    return running(server) == {"superlists"} and not (folder(server) / "data" / "db.sqlite3").exists()


def refused(command: Command, server: FakeServer) -> str:
    before = running(server)
    assert command("adopt", "staging", "--yes") == 30
    assert running(server) == before
    assert not (folder(server) / "data" / "db.sqlite3").exists()
    return command.err
