"""The hooks, in the order in which a run calls them: implement one in a root ``conftest.py`` or in a plugin.

An implementation takes any of the arguments, by name (which is why a bool may be among them). Ours, in
``defaults.py``, come last.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from deploy_plugin.errors import DeployError
    from deploy_plugin.models import App, Deployment, Release, StepReport, Target
    from deploy_plugin.runner import Runner
    from deploy_plugin.server.base import Server
    from deploy_plugin.steps.base import Step


@pytest.hookspec
def pytest_deploy_targets(config: pytest.Config) -> Mapping[str, Mapping[str, Any]]:  # type: ignore[empty-body]
    """Called first: add named targets, each with the keys of a ``[targets.NAME]`` table of ``deploy.toml``."""


@pytest.hookspec
def pytest_deploy_is_live(target: Target) -> bool:  # type: ignore[empty-body]
    """Called when the target is known, before anything is contacted: one True among all answers makes it live."""


@pytest.hookspec(firstresult=True)
def pytest_deploy_connect(target: Target, folder: Path, join: bool) -> Server | None:
    """Called for each connection, before collection: give a server, which connects with its first use.

    ``folder`` is the run's own. ``join`` is True in fixtures: the run's main process, not always this one, holds a
    connection that can be shared.
    """


@pytest.hookspec(firstresult=True)
def pytest_deploy_run(app: App, target: Target, server: Server, runner: Runner) -> Deployment | None:
    """Called after collection, and not with ``--verify-on``: deploy, and say what serves now.

    Raise ``StepFailed`` where it does not work: the tests are not run then.
    """


@pytest.hookspec
def pytest_deploy_step_started(step: Step) -> None:
    """Called before each step looks at the server; the first steps, up to Docker, come before a release is chosen."""


@pytest.hookspec
def pytest_deploy_step_finished(step: Step, report: StepReport) -> None:
    """Called after each step, whatever became of it."""


@pytest.hookspec
def pytest_deploy_release_chosen(release: Release) -> None:
    """Called when it is known which release this is about: the one that serves, or a new one."""


@pytest.hookspec
def pytest_deploy_steps(app: App, target: Target, steps: list[Step]) -> None:
    """Called right after that: edit, in place, the steps that bring the release onto the server."""


@pytest.hookspec
def pytest_deploy_failed(target: Target, error: DeployError) -> None:
    """Called when a deploy failed: no test is run, and what served before still serves (exit 31: it may not)."""


@pytest.hookspec
def pytest_deploy_finished(deployment: Deployment, verified: bool) -> None:
    """Called last, when a deploy worked and its tests are over.

    ``verified`` is True where pytest's exit code is 0 and a test passed in each folder of ``deploy_testpaths`` that is
    there: skipped ones verify nothing, and those that look at the server alone say nothing of the site.
    """
