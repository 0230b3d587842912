"""``pytest-deploy exec``: a command in the container that serves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from deploy_plugin.commands.found import latest, nothing_serves
from deploy_plugin.commands.project import connected
from deploy_plugin.containers import manage_command
from deploy_plugin.errors import ConfigError

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest


def execute(options: Namespace, config: pytest.Config) -> int:
    """Run the command; its streams and its exit code are ours."""
    command = options.remote[1:] if options.remote[:1] == ["--"] else options.remote
    if not command:
        raise ConfigError("No command was given.", hint=f"Example: pytest-deploy exec {options.target} -- ls -l")
    with connected(config, options.target) as (session, server):
        container = latest(server, session)
        if container is None or not container.running:
            raise nothing_serves(session)
        inside = manage_command(session.app, *command) if options.manage else command
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        flags = ["--interactive", *(["--tty"] if terminal else [])]
        return server.attach("docker", "exec", *flags, container.name, *inside, terminal=terminal)
