"""What pytest knows here: a command sees the targets and hooks that a test run in this folder sees."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from typing import TYPE_CHECKING, TextIO

from pluggy import HookimplMarker

from deploy_plugin.errors import DeployError

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest

    from deploy_plugin.server.base import Server
    from deploy_plugin.session import Session

hookimpl = HookimplMarker("pytest")


def in_project(command: Callable[[Namespace, pytest.Config], int]) -> Callable[[Namespace], int]:
    """Give a command the configuration of the pytest that would run here: its options, plugins and conftest.py."""

    def run(options: Namespace) -> int:
        import pytest

        instead = _Instead(lambda config: command(options, config), sys.stdout)
        with redirect_stdout(sys.stderr):  # whatever a conftest.py prints, it is not what the command was asked for
            return int(pytest.main(_arguments(options), plugins=[instead]))

    return run


@contextmanager
def connected(config: pytest.Config, name: str) -> Iterator[tuple[Session, Server]]:
    """Give what the target's name means, and a connection that opens with its first use."""
    from deploy_plugin.targeted import session_for

    session = session_for(config, name, deploys=False)
    try:
        server = session.connect(config.hook)
        try:
            yield session, server
        except DeployError as error:
            raise session.redactor.redact_error(error) from error.__cause__
        finally:
            server.close()
    finally:
        session.discard()


class _Instead:
    """Runs the command where pytest would run tests: all is loaded, and nothing was collected or printed."""

    def __init__(self, command: Callable[[pytest.Config], int], stdout: TextIO) -> None:
        self._command = command
        self._stdout = stdout

    @hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int:
        with redirect_stdout(self._stdout):
            return self._command(config)


def _arguments(options: Namespace) -> list[str]:
    """What is typed comes last, and wins over addopts."""
    given = [("--ssh-config", options.ssh_config), ("--ssh-identity-file", options.ssh_identity_file)]
    return [
        "--assert=plain",  # nothing is asserted, and rewriting warns of modules that are imported already: ours
        "--capture=no",  # stdin, too, is the command's
        *(["--no-cov"] if find_spec("pytest_cov") else []),  # addopts with --cov would erase the last run's data
        *(f"{option}={path}" for option, path in given if path),
    ]
