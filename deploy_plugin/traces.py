"""What tells that somebody deployed the app to a server by other means: by hand, or by a playbook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deploy_plugin.containers import APP
from deploy_plugin.errors import StepFailed
from deploy_plugin.models import App, AppFolder, Target
from deploy_plugin.server.files import script

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server
    from deploy_plugin.server.engine import Listed

# $1: the app; $2: its folder. What a deploy of ours has left there says more than any trace.
_FILES = """
for record in "$2"/releases/*.json; do [ ! -e "$record" ] || exit 0; done
cd || exit
for name in db.sqlite3 "$1.env" .secret-key; do [ ! -e "$name" ] || echo "~/$name"; done
"""


def require_none(server: Server, app: App, target: Target, there: Sequence[Listed]) -> None:
    """Stop where the app is there already, and we did not bring it; ``there`` are the server's containers."""
    if any(one.labels.get(APP) == app.name for one in there):
        return
    found = [*(f"the container {one.name}" for one in there if one.name == app.name), *_files(server, app.name)]
    if found:
        raise StepFailed(
            f"{app.name} was deployed to {target.name} by other means: {', '.join(found)}. Nothing was changed.",
            hint=f"Take it over, with its rows and its sessions: {command(target)}\n"
            "If that is something else, and this site is to begin without data: --deploy-first",
        )


def command(target: Target) -> str:
    return f"pytest-deploy adopt {target.name}"


def _files(server: Server, app: str) -> Sequence[str]:
    done = script(server, _FILES, app, AppFolder(server.facts.home, app).path)
    return done.stdout.decode(errors="replace").splitlines()
