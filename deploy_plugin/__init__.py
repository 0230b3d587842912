"""A deploy is a transaction, and the tests are its commit condition.

These names are what a conftest or a plugin needs; each says in its own module what it is.
"""

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
