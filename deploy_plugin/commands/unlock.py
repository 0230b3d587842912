"""``pytest-deploy unlock``: take the lease from a run that is known to be at work no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_plugin import lease
from deploy_plugin.commands.output import say
from deploy_plugin.commands.project import connected

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest


def unlock(options: Namespace, config: pytest.Config) -> int:
    """Let the lease end now, whoever holds it; where nobody does, nothing is changed."""
    with connected(config, options.target) as (session, server):
        app, target = session.app.name, session.target.name
        whose = lease.take_away(server, app)
    if whose:
        say(f"{whose} held the lease of {app} on {target}, and does not any more: that run stops at its next change.")
    else:
        say(f"Nobody holds the lease of {app} on {target}; nothing was changed.")
    return 0
