"""``pytest-deploy sandbox``: throwaway servers on this machine."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from deploy_plugin.commands.output import columns, say
from deploy_plugin.errors import ConfigError, DeployError

if TYPE_CHECKING:
    from argparse import Namespace

    from deploy_plugin.sandbox import Sandbox


def up(options: Namespace) -> int:
    from deploy_plugin import sandbox

    sandbox.sweep()
    reserved = sandbox.reserve(options.name, bare=options.bare or None, engine=options.engine)
    started = sandbox.boot(reserved)
    say(json.dumps(_facts(reserved)) if options.json else _introduction(reserved, started=started))
    return 0


def down(options: Namespace) -> int:
    from deploy_plugin import sandbox

    # All are looked up before any goes: a typo removes nothing.
    for found in [_found(name) for name in options.names]:
        sandbox.remove(found)
        say(f"{found.name} is gone.")
    return 0


def listing(options: Namespace) -> int:
    from deploy_plugin import sandbox

    sandbox.sweep()
    rows = [
        {
            **_facts(seen.sandbox),
            "bare": seen.sandbox.bare,
            "engine": seen.sandbox.engine,
            "state": seen.state,
        }
        for seen in sandbox.every()
    ]
    if options.json:
        say(json.dumps(rows))
    elif not rows:
        say("There is no sandbox. Make one: pytest-deploy sandbox up NAME")
    else:
        keys = ("name", "state", "engine", "destination", "url")
        say(columns([[str(row[key] or "bare") for key in keys] for row in rows]))
    return 0


def ssh(options: Namespace) -> int:
    found = _found(options.name)
    sys.stdout.flush()
    try:
        os.execvp("ssh", ["ssh", "-F", str(found.ssh_config), found.alias, *options.remote])  # noqa: S606
    except FileNotFoundError as error:
        raise DeployError("There is no ssh on this machine.", hint="Install OpenSSH's client.") from error


def _found(name: str) -> Sandbox:
    from deploy_plugin import sandbox

    found = sandbox.find(name)
    if found is None:
        known = ", ".join(seen.sandbox.name for seen in sandbox.every()) or "none"
        raise ConfigError(
            f"There is no sandbox {name!r}.", hint=f"Known: {known}. To make it: pytest-deploy sandbox up {name}"
        )
    return found


def _facts(sandbox: Sandbox) -> dict[str, str]:
    return {
        "name": sandbox.name,
        "destination": sandbox.destination,
        "ssh_config": str(sandbox.ssh_config),
        "url": sandbox.url,
    }


def _introduction(sandbox: Sandbox, *, started: bool) -> str:
    return f"""\
{sandbox.name} {"runs" if started else "runs already"}: {sandbox.url}
    pytest-deploy sandbox ssh {sandbox.name}
    pytest --deploy-to=sandbox:{sandbox.name}
    pytest --deploy-to={sandbox.destination} --ssh-config={sandbox.ssh_config}"""
