"""A deploy is a transaction, and the tests are its commit condition.

These names are what a conftest or a plugin needs; each says in its own module what it is. They are imported when they
are first used: a run of pytest without a target uses none.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deploy_plugin.errors import DeployError, StepFailed
    from deploy_plugin.models import App, Deployment, Outcome, Recap, Release, StepReport, Target
    from deploy_plugin.server.base import Server
    from deploy_plugin.steps.base import Step

__all__ = [
    "App",
    "DeployError",
    "Deployment",
    "Outcome",
    "Recap",
    "Release",
    "Server",
    "Step",
    "StepFailed",
    "StepReport",
    "Target",
]

_HOMES = {"DeployError": "errors", "StepFailed": "errors", "Server": "server.base", "Step": "steps.base"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'models')}"), name)
