"""pytest-deploy: look at targets and at what serves there, go back, change secrets, and keep sandboxes.

A command is a function that takes the parsed options and returns an exit code; ``_parser`` names them all.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from deploy_plugin.commands import (
    adopt,
    history,
    logs,
    restore,
    rollback,
    sandbox,
    secrets,
    snapshots,
    status,
    targets,
    unlock,
)
from deploy_plugin.commands import exec as exec_command
from deploy_plugin.commands.project import in_project
from deploy_plugin.errors import DeployError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy_plugin.sandbox import EngineKind

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it

SUMMARY = (
    "look at targets, go back to a release, change secrets, restore data, keep sandboxes; "
    "deploying is pytest's: pytest --deploy-to=TARGET"
)
INTERRUPTED = 130
UNREAD = 141
"""Whoever read our output went away, like ``head``; a shell says the same of a program that SIGPIPE ended."""
TARGET = "a name in deploy.toml, [user@]host[:port] or sandbox:NAME"


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
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains as it ends
        return UNREAD
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pytest-deploy", description=_sentence(SUMMARY))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_targets(commands)
    _add_status(commands)
    _add_history(commands)
    _add_rollback(commands)
    _add_logs(commands)
    _add_exec(commands)
    _add_secrets(commands)
    _add_unlock(commands)
    _add_snapshots(commands)
    _add_restore(commands)
    _add_adopt(commands)
    _add_sandbox(commands)
    return parser


def _add_targets(commands: Subparsers) -> None:
    every = _add(commands, "targets", in_project(targets.every), "every target that has a name; contacts none")
    _in_project(every)
    every.add_argument("--json", action="store_true", help="print a list of objects")


def _add_status(commands: Subparsers) -> None:
    of = _add(commands, "status", in_project(status.status), "what serves on targets, since when, and how it does")
    _in_project(of)
    of.add_argument("--json", action="store_true", help="print a list of objects")
    of.add_argument("targets", metavar="TARGET", nargs="+", help=TARGET)


def _add_history(commands: Subparsers) -> None:
    of = _add(commands, "history", in_project(history.history), "what was deployed there, and what can be gone back to")
    _in_project(of)
    of.add_argument("--json", action="store_true", help="print a list of objects")
    of.add_argument("target", metavar="TARGET", help=TARGET)


def _add_rollback(commands: Subparsers) -> None:
    to = _add(commands, "rollback", in_project(rollback.rollback), "let a release serve again that served before")
    _in_project(to)
    to.add_argument("--yes", action="store_true", help="don't ask whether that is meant")
    to.add_argument("target", metavar="TARGET", help=TARGET)
    to.add_argument(
        "release", metavar="RELEASE", nargs="?", help="the one before that passed its tests, if none is given"
    )


def _add_logs(commands: Subparsers) -> None:
    of = _add(commands, "logs", in_project(logs.logs), "the log of the container that serves; secrets are masked")
    _in_project(of)
    of.add_argument("--lines", metavar="N", type=_count, default=100, help="how many, from the end (%(default)s)")
    of.add_argument("--follow", action="store_true", help="go on until Ctrl-C, or until the container ends")
    of.add_argument("--release", metavar="ID", help="of this release's container, even if it does not run any more")
    of.add_argument("target", metavar="TARGET", help=TARGET)


def _add_exec(commands: Subparsers) -> None:
    there = _add(commands, "exec", in_project(exec_command.execute), "run a command in the container that serves")
    _in_project(there)
    there.add_argument("--manage", action="store_true", help="COMMAND is a management command: `migrate --check`")
    there.add_argument("target", metavar="TARGET", help=f"{TARGET}; options come before it")
    there.add_argument("remote", metavar="COMMAND", nargs=argparse.REMAINDER, help="with its arguments")


def _add_secrets(commands: Subparsers) -> None:
    summary = "the names of a target's secrets, and new values for them"
    of = commands.add_parser("secrets", help=summary, description=_sentence(summary))
    of.add_argument("target", metavar="TARGET", help=TARGET)
    actions = of.add_subparsers(required=True, metavar="ACTION")
    listing = _add(actions, "list", in_project(secrets.names), "names and sources; values are shown nowhere")
    _in_project(listing)
    listing.add_argument("--json", action="store_true", help="print a list of objects")
    new = _add(actions, "set", in_project(secrets.set_one), "give a secret the value that comes on stdin")
    _in_project(new)
    new.add_argument("name", metavar="NAME", help="the app finds it in its environment under this name")
    rotated = _add(actions, "rotate", in_project(secrets.rotate), "make new random values of generated secrets")
    _in_project(rotated)
    rotated.add_argument("names", metavar="NAME", nargs="+")


def _add_unlock(commands: Subparsers) -> None:
    of = _add(commands, "unlock", in_project(unlock.unlock), "take the lease from a run that is at work no more")
    _in_project(of)
    of.add_argument("target", metavar="TARGET", help=TARGET)


def _add_snapshots(commands: Subparsers) -> None:
    summary = "the copies of a target's database that are kept on the server"
    of = commands.add_parser("snapshots", help=summary, description=_sentence(summary))
    of.add_argument("target", metavar="TARGET", help=TARGET)
    actions = of.add_subparsers(required=True, metavar="ACTION")
    listing = _add(actions, "list", in_project(snapshots.every), "time and size of each, and whether it is whole")
    _in_project(listing)
    listing.add_argument("--json", action="store_true", help="print a list of objects")
    pull = _add(actions, "pull", in_project(snapshots.pull), "copy one here, and hold it against its checksum")
    _in_project(pull)
    pull.add_argument("--to", metavar="FILE", help="its name here; its own where this is not given")
    pull.add_argument("name", metavar="NAME", help="its name, or the release that it was taken before")


def _add_restore(commands: Subparsers) -> None:
    one = _add(commands, "restore", in_project(restore.restore_one), "put a snapshot in the place of the database")
    one.add_argument("target", metavar="TARGET", help=TARGET)
    one.add_argument("snapshot", metavar="SNAPSHOT", help="its name, or the release that it was taken before")
    empty = _add(commands, "reset-db", in_project(restore.reset), "empty the database of a target that is not live")
    empty.add_argument("target", metavar="TARGET", help=TARGET)
    for action in (one, empty):
        _in_project(action)
        action.add_argument("--yes", action="store_true", help="don't ask whether the rows that would go may go")


def _add_adopt(commands: Subparsers) -> None:
    of = _add(
        commands, "adopt", in_project(adopt.adopt), "take over what serves there, and was deployed by other means"
    )
    _in_project(of)
    of.add_argument("--yes", action="store_true", help="don't ask")
    of.add_argument("target", metavar="TARGET", help=TARGET)


def _add_sandbox(commands: Subparsers) -> None:
    summary = "throwaway servers on this machine, each a container with its own sshd and Docker engine"
    actions = commands.add_parser("sandbox", help=summary, description=_sentence(summary)).add_subparsers(
        required=True, metavar="ACTION"
    )
    up = _add(actions, "up", sandbox.up, "start one, or see to it that it runs; the name stays until `down`")
    up.add_argument("name", metavar="NAME", help="letters, digits and dashes")
    up.add_argument("--bare", action="store_true", help="sshd and sudo, and no Docker: a server as it is rented")
    up.add_argument(
        "--engine",
        metavar="KIND",
        type=_engine,
        help="where its Docker keeps images: overlay2 (Docker 20.10; the usual one) or containerd (Docker 26)",
    )
    up.add_argument("--json", action="store_true", help="print name, destination, ssh_config and url")
    down = _add(actions, "down", sandbox.down, "remove sandboxes, and all that is in them")
    down.add_argument("names", metavar="NAME", nargs="+")
    listing = _add(actions, "list", sandbox.listing, "name, state and address of each")
    listing.add_argument("--json", action="store_true", help="print a list of objects")
    ssh = _add(actions, "ssh", sandbox.ssh, "log in, or run a command there")
    ssh.add_argument("name", metavar="NAME")
    ssh.add_argument("remote", metavar="COMMAND", nargs=argparse.REMAINDER, help="as for ssh; none: a shell")


def _add(actions: Subparsers, name: str, command: object, summary: str) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=summary, description=_sentence(summary))
    action.set_defaults(command=command)
    return action


def _in_project(action: argparse.ArgumentParser) -> None:
    """Add what every command for targets takes: the same options as pytest."""
    action.add_argument("--ssh-config", metavar="FILE", help="as for pytest: the ssh configuration")
    action.add_argument("--ssh-identity-file", metavar="FILE", help="as for pytest: the private key")


def _sentence(summary: str) -> str:
    return f"{summary[0].upper()}{summary[1:]}."


def _engine(text: str) -> EngineKind:
    from deploy_plugin.sandbox import EngineKind

    if text not in list(EngineKind):
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(EngineKind)}")
    return EngineKind(text)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of lines")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
