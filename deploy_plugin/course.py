"""What a run does on its server, from its first step to what its tests decided. Knows nothing of pytest.

To import it takes almost as long as to log in to a server: who wants both begins with the latter.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from deploy_plugin import confirmation, defaults, ending, env_files, runner, transaction
from deploy_plugin.errors import ConfigError, DeployError, RollbackFailed, StepFailed, Unreachable
from deploy_plugin.models import Deployment
from deploy_plugin.runner import Runner

if TYPE_CHECKING:
    from deploy_plugin.server.base import Server
    from deploy_plugin.session import Session

NOT_CONFIRMED = "The server was not told that the release stays: within {seconds} s it goes back by itself."
NOT_CONFIRMED_YET = "If the server was not told yet that it stays, it goes back by itself within {seconds} s."
LOOK = "See what serves there now: pytest-deploy status {target}"
ANOTHER_DEPLOYER = "A plugin deploys here in its own way (pytest_deploy_run): what it would change can't be foreseen."


class Hooks(runner.Hooks, Protocol):
    """Those of ``hookspecs.py`` that are called around a run."""

    @property
    def pytest_deploy_run(self) -> Any: ...  # noqa: ANN401 - pluggy's HookCaller

    @property
    def pytest_deploy_failed(self) -> Callable[..., object]: ...


class Course:
    """What there is to do with one session, on one server."""

    def __init__(self, session: Session, server: Server, hooks: Hooks) -> None:
        self._session = session
        self._app, self._target, self._redactor = session.app, session.target, session.redactor
        self._server = server
        self._hooks = hooks

    def foresee(self) -> Runner:
        """Say what a deploy would change, and change nothing; what went wrong is in the runner's ``error``."""
        dry = Runner(self._server, self._hooks, dry=True, redactor=self._redactor)
        try:
            if not defaults.is_alone(self._hooks.pytest_deploy_run):
                raise ConfigError(ANOTHER_DEPLOYER)
            transaction.foresee(self._app, self._target, self._server, dry)
        except DeployError as error:
            dry.error = self._redactor.redact_error(error)
        return dry

    def execute(self, first: Callable[[], None] | None = None) -> Runner:
        """Deploy, or look what is there; what went wrong, in ``first`` or afterwards, is in the runner's ``error``."""
        runner = Runner(self._server, self._hooks, redactor=self._redactor)
        deployment: Deployment
        try:
            if first:
                transaction.end_downtime(self._app, self._target, self._server, runner)
                first()
            if self._session.deploys:
                deployment = self._hooks.pytest_deploy_run(
                    app=self._app, target=self._target, server=self._server, runner=runner
                )
            else:
                env_files.learn(self._redactor, self._server, self._app)
                deployment = transaction.verify(self._app, self._target, self._server)
            if runner.release is None:
                runner.choose(deployment.release)
        except (DeployError, KeyboardInterrupt) as error:
            runner.error = self._stopped(error, runner)
            if self._session.deploys:
                self._hooks.pytest_deploy_failed(target=self._target, error=runner.error)
        else:
            (self._session.folder / "deployment").write_bytes(pickle.dumps(deployment))
            with suppress(DeployError):  # tests that ask the server say so themselves
                # The connection that they join: whoever deployed may have had none.
                assert self._server.engine  # noqa: S101
        return runner

    def commit(self, runner: Runner, *, verified: bool | None) -> None:
        """Let the release stay; where the server went back by itself meanwhile, that is the runner's ``error``.

        ``verified`` is whether it passed its tests, if anybody knows.
        """
        try:
            ending.commit(self._app, runner.for_changes(), runner, verified=verified)
        except KeyboardInterrupt:
            look, within = LOOK.format(target=self._target.name), NOT_CONFIRMED_YET.format(seconds=self._app.confirm)
            runner.error = StepFailed("Interrupted as the release was about to stay.", hint=f"{look}\n{within}")
        except Unreachable as error:
            runner.error = self._redactor.redact_error(error)
            runner.error.hint = NOT_CONFIRMED.format(seconds=self._app.confirm)
        except DeployError as error:
            runner.error = self._redactor.redact_error(error)

    def take_back(self, runner: Runner) -> None:
        """Go back to the release before; what went wrong is in the runner's ``error``."""
        try:
            ending.take_back(runner.for_changes(), runner)
        except KeyboardInterrupt:
            runner.error = RollbackFailed(
                "Interrupted as visitors were sent back: it is not certain where they go.",
                hint=LOOK.format(target=self._target.name),
            )
        except DeployError as error:
            runner.error = self._redactor.redact_error(error)

    def renew(self, runner: Runner) -> bool:
        """Let the server wait longer for the tests, if it waits; a broken connection shows itself elsewhere."""
        if not runner.way_back or not (runner.way_back.name or runner.way_back.restores):
            return False
        with suppress(DeployError):
            confirmation.of(self._server, runner.way_back.tried).renew(self._server)
        return True

    def _stopped(self, error: DeployError | KeyboardInterrupt, runner: Runner) -> DeployError:
        """What went wrong, with what serves there now: before the release was chosen, nothing of the app is touched."""
        if isinstance(error, KeyboardInterrupt):
            step = runner.recap.steps[-1].title if runner.recap.steps else "the first step"
            error = StepFailed(f"Interrupted in: {step}.", hint="Deploying again goes on from what is there.")
        if runner.release and not isinstance(error, Unreachable):
            serves = transaction.what_serves(self._app, self._server, runner.release)
            error.hint = f"{error.hint}\n{serves}".strip()
        return self._redactor.redact_error(error)
