"""pytest-deploy: look at targets, and at sandboxes.

A command is a function that takes the parsed options and returns an exit code; ``_parser`` names them all.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

from deploy_plugin.errors import ConfigError, DeployError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy_plugin.sandbox import Sandbox

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; an expected error is a sentence on stderr and its exit code, never a traceback."""
    options = _parser().parse_args(argv)
    try:
        code: int = options.command(options)
    except DeployError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def sandbox_up(options: argparse.Namespace) -> int:
    from deploy_plugin import sandbox

    sandbox.sweep()
    reserved = sandbox.reserve(options.name, bare=options.bare or None)
    started = sandbox.boot(reserved)
    _say(json.dumps(_facts(reserved)) if options.json else _introduction(reserved, started=started))
    return 0


def sandbox_down(options: argparse.Namespace) -> int:
    from deploy_plugin import sandbox

    # All are looked up before any goes: a typo removes nothing.
    for found in [_found(name) for name in options.names]:
        sandbox.remove(found)
        _say(f"{found.name} is gone.")
    return 0


def sandbox_list(options: argparse.Namespace) -> int:
    from deploy_plugin import sandbox

    sandbox.sweep()
    rows = [{**_facts(seen.sandbox), "bare": seen.sandbox.bare, "state": seen.state} for seen in sandbox.every()]
    if options.json:
        _say(json.dumps(rows))
    elif not rows:
        _say("There is no sandbox. Make one: pytest-deploy sandbox up NAME")
    else:
        width = max(len(str(row["name"])) for row in rows)
        _say("\n".join(f"{row['name']:{width}}  {row['state']:8}  {row['destination']}  {row['url']}" for row in rows))
    return 0


def sandbox_ssh(options: argparse.Namespace) -> int:
    found = _found(options.name)
    sys.stdout.flush()
    try:
        os.execvp("ssh", ["ssh", "-F", str(found.ssh_config), found.alias, *options.remote])  # noqa: S606
    except FileNotFoundError as error:
        raise DeployError("There is no ssh on this machine.", hint="Install OpenSSH's client.") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pytest-deploy", description="Look at targets, and at sandboxes.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_sandbox(commands)
    return parser


def _add_sandbox(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    summary = "throwaway servers on this machine, each a container with its own sshd and Docker engine"
    actions = commands.add_parser("sandbox", help=summary, description=_sentence(summary)).add_subparsers(
        required=True, metavar="ACTION"
    )
    up = _add(actions, "up", sandbox_up, "start one, or see to it that it runs; the name stays until `down`")
    up.add_argument("name", metavar="NAME", help="letters, digits and dashes")
    up.add_argument("--bare", action="store_true", help="sshd and sudo, and no Docker: a server as it is rented")
    up.add_argument("--json", action="store_true", help="print name, destination, ssh_config and url")
    down = _add(actions, "down", sandbox_down, "remove sandboxes, and all that is in them")
    down.add_argument("names", metavar="NAME", nargs="+")
    listing = _add(actions, "list", sandbox_list, "name, state and address of each")
    listing.add_argument("--json", action="store_true", help="print a list of objects")
    ssh = _add(actions, "ssh", sandbox_ssh, "log in, or run a command there")
    ssh.add_argument("name", metavar="NAME")
    ssh.add_argument("remote", metavar="COMMAND", nargs=argparse.REMAINDER, help="as for ssh; none: a shell")


def _add(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, command: object, summary: str
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=summary, description=_sentence(summary))
    action.set_defaults(command=command)
    return action


def _sentence(summary: str) -> str:
    return f"{summary[0].upper()}{summary[1:]}."


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


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
