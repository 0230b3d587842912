"""What tests receive of a deployed site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from deploy_plugin.errors import StepFailed

if TYPE_CHECKING:
    from deploy_plugin.models import Deployment, Target
    from deploy_plugin.session import Session

SESSION: pytest.StashKey[Session] = pytest.StashKey()


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> Deployment:
    """What serves on the target; where there is no target, the test is skipped."""
    session = request.config.stash.get(SESSION, None)
    if session is None:
        pytest.skip("there is no target: add --deploy-to=TARGET or --verify-on=TARGET")
    found = session.deployment
    if found is None:
        pytest.fail("the run has no deployment yet")
    return found


@pytest.fixture(scope="session")
def manage_py(request: pytest.FixtureRequest, deployment: Deployment) -> Iterator[Callable[..., str]]:
    """Run a management command in the deployed container, for what it prints: ``manage_py("check", "--deploy")``."""
    from deploy_plugin.containers import manage_command

    server = request.config.stash[SESSION].connect(request.config.hook, join=True)

    def manage_py(*arguments: str) -> str:
        if not deployment.target.allows(*arguments):
            pytest.fail(_not_allowed(deployment.target, arguments), pytrace=False)
        done = server.engine.exec(deployment.container, manage_command(deployment.app, *arguments))
        if not done.ok:
            raise StepFailed(f"manage.py {' '.join(arguments)} ended with exit code {done.exit_code}.", got=done.text)
        return done.stdout

    yield manage_py
    server.close()


def _not_allowed(target: Target, arguments: tuple[str, ...]) -> str:
    live = ", which is live" if target.live else ""
    return (
        f"manage.py {' '.join(arguments)} may not be run on {target.name}{live}. "
        f"Allowed there: {', '.join(target.allowed or ()) or 'nothing'}. "
        f"If it leaves nothing behind, add it to manage_allow of the target in deploy.toml."
    )
