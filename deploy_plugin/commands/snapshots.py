"""``pytest-deploy snapshots``: which copies of the database a target keeps, and one of them for here."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_plugin.commands.found import folder_of
from deploy_plugin.commands.output import columns, say, say_json
from deploy_plugin.commands.project import connected
from deploy_plugin.database import kept
from deploy_plugin.errors import ConfigError, StepFailed

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest


def every(options: Namespace, config: pytest.Config) -> int:
    """List them, the newest first; one that is damaged makes it exit code 30."""
    with connected(config, options.target) as (session, server):
        found = kept.listing(server, folder_of(server, session))
        name = session.app.name
    if options.json:
        say_json([
            {
                "name": one.name,
                "before": one.before,
                "taken": one.taken.isoformat(timespec="seconds"),
                "size": one.size,
                "whole": one.whole,
            }
            for one in found
        ])  # fmt: skip
    elif found:
        say(columns([
            [one.name, f"{one.taken:%Y-%m-%d %H:%M:%S} UTC", f"{one.size} bytes", "" if one.whole else "DAMAGED"]
            for one in found
        ]))  # fmt: skip
    else:
        say(f"No snapshot of {name} is kept.")
    return 0 if all(one.whole for one in found) else StepFailed.exit_code


def pull(options: Namespace, config: pytest.Config) -> int:
    """Copy one here, for its user only; what is here already is not replaced."""
    with connected(config, options.target) as (session, server):
        found = kept.find(server, folder_of(server, session), options.name)
        here = Path(options.to or found.name)
        if here.exists():
            raise ConfigError(f"{here} is here already; nothing was copied.", hint="Give another name with --to=FILE.")
        content = server.read(found.path) or b""
        said = (server.read(found.path.with_name(f"{found.name}.sha256")) or b"").decode().partition(" ")[0]
    if hashlib.sha256(content).hexdigest() != said:
        raise StepFailed(f"{found.name} did not arrive as it is there; nothing was kept.", hint="Try again.")
    with os.fdopen(os.open(here, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    say(f"{here}: {len(content)} bytes, as its checksum says.")
    return 0
