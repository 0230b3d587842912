"""``pytest-deploy adopt``: take over what somebody deployed by other means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from deploy_plugin import lease
from deploy_plugin.adoption import old as looking
from deploy_plugin.adoption import takeover
from deploy_plugin.adoption.mark import Mark
from deploy_plugin.adoption.old import Old
from deploy_plugin.commands.found import folder_of, is_live
from deploy_plugin.commands.output import columns, require_consent, say
from deploy_plugin.commands.project import connected
from deploy_plugin.errors import ConfigError
from deploy_plugin.fence import fenced

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest

    from deploy_plugin.session import Session

_SECRET = re.compile(r"KEY|SECRET|PASSWORD|TOKEN|CREDENTIAL")


def adopt(options: Namespace, config: pytest.Config) -> int:
    """Say what is there, ask, and take it over."""
    with connected(config, options.target) as (session, server):
        app, target = session.app, session.target
        if app.database is None:
            raise ConfigError(
                f"{app.name} has no database of which deploy.toml knows.", hint="Name it: path in [database]."
            )
        with lease.held(server, app.name, target.name, "adopt") as mine:
            there = fenced(server, mine)
            Mark.of(folder_of(server, session)).settle(there)
            old = looking.look(there, app, target)
            session.redactor.learn(old.secrets.items())
            session.redactor.learn((name, value) for name, value in old.settings.items() if _SECRET.search(name))
            new = takeover.as_release(there, app, target, old)
            takeover.require_no_data(there, new)
            say(f"adopt {app.name} on {target.name}{' (LIVE)' if is_live(server, session) else ''}:")
            say(columns(_found(session, old)))
            say(
                f"It is copied and tried while {old.container} serves; then {old.container} stops, the database moves "
                f"to {new.folder.data}, and the same code serves as {new.serving.name}.\n"
                "Visitors get no answer for some seconds. Nothing of what is there is removed."
            )
            if not options.yes:
                require_consent()
            done = takeover.adopt(there, mine, old, new, say)
    say(
        f"Done: {done.container} serves. Nobody answered for {done.away:.1f} s. {old.container} is stopped, and its "
        f"database is where it was; from now on that is an old copy.\nDeploy: pytest --deploy-to={target.name}"
    )
    return 0


def _found(session: Session, old: Old) -> list[list[str]]:
    app, target = session.app, session.target
    answers = target.host in old.hosts or "*" in old.hosts
    return [
        ["", "container", f"{old.container}, on port {target.publish}"],
        ["", "database", f"{old.database} in it{_outside(old)}"],
        *(["", "secret", f"{name}: {_source(session, old, name)}"] for name in app.secrets),
        [
            "",
            "sessions",
            "stay: their key comes along" if old.keeps_sessions else "END: their key is none of the secrets",
        ],
        ["", "hosts", ", ".join(old.hosts) + ("" if answers else f"; {target.host}, this target's, is none of them")],
        *(["", "volume", f"{name}: {path}"] for name, path in app.volumes.items()),
    ]


def _outside(old: Old) -> str:
    mounts = [mount for mount in old.made.mounts if mount.path in {old.database, *old.database.parents}]
    return f", which is {mounts[-1].source} on the server" if mounts else ", and nowhere else"


def _source(session: Session, old: Old, name: str) -> str:
    if name in old.secrets:
        return "as it is there"
    return "not there, will be generated" if session.app.secrets[name].generate else "comes from here at each deploy"
