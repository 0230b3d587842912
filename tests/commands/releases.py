"""Releases that were deployed to a server that is a folder, and what is written down of them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import Any

from deploy_plugin.containers import IMAGE, RELEASE
from deploy_plugin.proxy import upstreams
from deploy_plugin.testing import FakeServer
from tests.inner import Project

OLD, OLD_IMAGE = "20200101-000000-abcdef0", "superlists:000000000000"


def deploy(project: Project, text: str) -> None:
    project.write("app.py", f"print({text!r})\n")
    assert project.run("--deploy-to=staging").ret == 0


def record(server: FakeServer, release: str) -> dict[str, Any]:
    path = server.home / "deploy/superlists/releases" / f"{release}.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def change_record(server: FakeServer, release: str, **changes: object) -> None:
    path = server.home / "deploy/superlists/releases" / f"{release}.json"
    path.write_text(json.dumps({**record(server, release), **changes}))


def ids(server: FakeServer) -> list[str]:
    """The releases that were deployed, the oldest first, but for those of one second."""
    return sorted(path.stem for path in (server.home / "deploy/superlists/releases").glob("*.json"))


def told(server: FakeServer) -> str:
    return (upstreams.told(server, "superlists") or "").removeprefix("superlists-")


def before(server: FakeServer, release: str) -> str:
    """Let there have been a release before: its image, its container, which was stopped, its settings, its record."""
    spec = server.engine.specs[f"superlists-{release}"]
    labels = {**spec.labels, RELEASE: OLD, IMAGE: OLD_IMAGE}
    server.engine.add_image(OLD_IMAGE)
    if spec.publish is None:
        server.engine.start(replace(spec, name=f"superlists-{OLD}", image=OLD_IMAGE, labels=labels))
        server.engine.stop(f"superlists-{OLD}")
    folder = server.home / "deploy/superlists/releases"
    shutil.copy(folder / f"{release}.env", folder / f"{OLD}.env")
    told = {"release": OLD, "image": OLD_IMAGE, "deployed": "2020-01-01T00:00:00+00:00"}
    (folder / f"{OLD}.json").write_text(json.dumps({**record(server, release), **told}))
    return OLD
