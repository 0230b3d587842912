"""When something of ours happens in a pytest run, and what pytest is told of it."""

from __future__ import annotations

import pickle
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import pytest

from deploy_plugin import defaults, settings, trial
from deploy_plugin.ctrl_c import second_one_counts
from deploy_plugin.errors import DeployError
from deploy_plugin.live import live_word
from deploy_plugin.renewal import Renewal
from deploy_plugin.reporting import json, terminal
from deploy_plugin.session import Session
from deploy_plugin.verdict import KEPT, NOT_TRIED, NOTHING_BEFORE, Verdict, Word

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

    from deploy_plugin.course import Course
    from deploy_plugin.models import Deployment
    from deploy_plugin.runner import Runner
    from deploy_plugin.server.base import Shipping

NOT_DEPLOYED = "the deploy failed, so no test was run"
ONLY_PLANNED = "only a plan was asked for, so no test was run"
NOT_COLLECTED = "not every test could be collected, so nothing was deployed and no test was run"
LAST_THING = "\nCtrl-C: what the tests decided is being done, and nothing else; once more stops it in the middle."
NO_JSON = "--deploy-json={path} could not be written: {reason}. The deploy is not the worse for it."
WORKER_KEY = "pytest_deploy_session"
_BROKEN_OFF = frozenset((pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR))


class Lifecycle:
    """A run's story, told to pytest. Not registered in workers: the controller deploys once for all of them."""

    def __init__(self, config: pytest.Config, session: Session) -> None:
        self._config = config
        self._session = session
        self._server = session.connect(config.hook)
        self._done: Runner | None = None
        self._workers = 0
        self._failed_collections = 0
        self._verdict = Verdict()
        self._said = ""
        self._renewal: Renewal | None = None

    @cached_property
    def _course(self) -> Course:
        from deploy_plugin.course import Course

        return Course(self._session, self._server, self._config.hook)

    @property
    def _error(self) -> DeployError | None:
        return self._done.error if self._done else None

    @property
    def _terminal(self) -> pytest.TerminalReporter:
        return cast("pytest.TerminalReporter", self._config.pluginmanager.get_plugin("terminalreporter"))

    def pytest_report_header(self) -> list[str]:
        target = self._session.target
        live = f" ({live_word(self._config)})" if target.live else ""
        verb = "to" if self._session.deploys else "verified on"
        what = f"deploy: {self._session.app.name} {verb} {target.name}{live}: {target.destination}, {target.url}"
        return [what, f"settings: {self._session.origins}"]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._failed_collections += report.failed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file, expected = report.nodeid.partition("::")[0], hasattr(report, "wasxfail")
        self._verdict.hear(report.when, report.outcome, file, expected=expected)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        option = self._config.option
        collected = session.items and (not self._failed_collections or option.continue_on_collection_errors)
        if not collected or self._runs_nothing or self._distributes:
            return None
        self._execute()
        return True if self._ends_here else None  # True: nobody else runs tests

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        self._workers += 1
        node.workerinput[WORKER_KEY] = pickle.dumps(self._session)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._workers -= 1
        option = self._config.option
        if self._workers or not ids or self._done or self._runs_nothing:
            return
        if self._failed_collections and not option.continue_on_collection_errors:
            pytest.exit(NOT_COLLECTED, returncode=pytest.ExitCode.INTERRUPTED)
        self._execute()
        if self._ends_here:
            # Interrupted, for pytest to write its summary; pytest_sessionfinish then says the code that counts.
            pytest.exit(NOT_DEPLOYED if self._error else ONLY_PLANNED, returncode=pytest.ExitCode.INTERRUPTED)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._renewal:
            self._renewal.stop()
        if self._error:
            session.exitstatus = self._error.exit_code
        elif self._done and self._done.dry:
            session.exitstatus = pytest.ExitCode.OK
        elif self._done and self._session.deploys and (deployment := self._session.deployment):
            word = self._verdict.word(interrupted=session.exitstatus in _BROKEN_OFF)
            verified = self._verified(word, session.exitstatus)
            self._decide(self._done, word, deployment, verified=verified)
            if self._error:
                session.exitstatus = self._error.exit_code
                return
            self._config.hook.pytest_deploy_finished(deployment=deployment, verified=verified is True)

    def pytest_report_teststatus(self, report: pytest.CollectReport) -> tuple[str, str, str] | None:
        return ("error", "E", "ERROR") if report.when == "deploy" else None

    def pytest_terminal_summary(self) -> None:
        if self._done and self._done.recap.steps:
            terminal.write_recap(self._terminal, self._session.target, self._done, self._said)

    def pytest_unconfigure(self) -> None:
        if self._done:
            self._done.close_door()
            self._done.release_lease()
        self._server.close()

    def _verified(self, word: Word, exit_code: int) -> bool | None:
        """Whether the release passed its tests; None where nobody can say: some were left out."""
        if word is Word.FAILED:
            return False
        folders = [name for name in self._config.getini("deploy_testpaths") if (self._config.rootpath / name).exists()]
        passed = word is Word.VERIFIED and exit_code == pytest.ExitCode.OK and self._verdict.covers(folders)
        return True if passed else None

    def _decide(self, done: Runner, word: Word, deployment: Deployment, *, verified: bool | None) -> None:
        """Commit, or go back: what the tests said decides, and what the target says of failing ones."""
        way_back = done.way_back.name if done.way_back else ""
        with second_one_counts(lambda: self._terminal.write_line(LAST_THING, yellow=True)):
            if word is Word.FAILED and self._session.target.rolls_back and way_back:
                terminal.write_title(self._terminal, f"deploy rollback on {self._session.target.name}")
                self._course.take_back(done)
            else:
                self._said = self._remark(word, way_back, deployment)
                self._course.commit(done, verified=verified)
        if done.error:
            self._report(done.error)
        if path := self._config.option.deploy_json:
            self._write_json(path, done)

    def _remark(self, word: Word, way_back: str, deployment: Deployment) -> str:
        if word is Word.INCONCLUSIVE:
            return NOT_TRIED.format(count=self._verdict.errors)
        if word is Word.FAILED:
            return (KEPT if way_back else NOTHING_BEFORE).format(name=deployment.container)
        return ""

    @property
    def _ends_here(self) -> bool:
        """Whether no test is to be run: the deploy failed, or was only planned."""
        return bool(self._done and (self._done.error or self._done.dry))

    @property
    def _runs_nothing(self) -> bool:
        return bool(self._config.option.collectonly or self._config.option.setupplan)

    @property
    def _will_connect(self) -> bool:
        """Whether the server is there, and will be asked first of all.

        A sandbox has to be booted, a secret may be missing yet, and a plugin that deploys in its own way may be what
        lets this user in.
        """
        known = not self._session.sandbox and settings.at_hand(self._session.app)
        return known and defaults.is_alone(self._config.hook.pytest_deploy_run)

    @property
    def _distributes(self) -> bool:
        return self._config.pluginmanager.has_plugin("dsession")

    @property
    def _verb(self) -> str:
        if self._config.option.deploy_plan:
            return "deploy plan for"
        return "deploy to" if self._session.deploys else "verify on"

    def _execute(self) -> None:
        target = self._session.target
        terminal.write_title(self._terminal, f"{self._verb} {target.name}")
        self._config.pluginmanager.register(
            terminal.StepLines(self._terminal, self._sent, self._shipping), "deploy-step-lines"
        )
        if self._will_connect:
            self._server.begin()  # while what deploys is imported
        self._done = self._act()
        if path := self._config.option.deploy_json:
            self._write_json(path, self._done)
        for note in self._done.notes:
            self._terminal.write_line(note, yellow=True)
        if self._done.way_back:
            self._done.downtime.end()
            renew = partial(self._course.renew, self._done)
            self._renewal = Renewal(renew, self._session.app.confirm / 4)
        if self._error:
            self._report(self._error)
        elif self._done.recap.steps and not self._done.dry and self._terminal.verbosity >= 0:
            terminal.write_counts(self._terminal, target, self._done)

    def _act(self) -> Runner:
        if self._config.option.deploy_plan:
            return self._course.foresee()
        if self._session.deploys and self._session.target.live:
            typed = [str(word) for word in self._config.invocation_params.args]
            fair = partial(trial.require_fair_tests, typed, self._config.invocation_params.dir)
            return self._course.execute(first=fair)
        return self._course.execute()

    def _write_json(self, path: Path, done: Runner) -> None:
        try:
            json.write(path, self._session.target, done.release, done.recap, self._server.bytes_sent)
        except OSError as error:  # it must not hide what became of the deploy
            self._terminal.write_line(NO_JSON.format(path=path, reason=error.strerror), red=True)

    def _sent(self) -> int:
        return self._server.bytes_sent

    def _shipping(self) -> Shipping | None:
        return self._server.shipping

    def _report(self, error: DeployError) -> None:
        name = self._session.target.name
        report = pytest.CollectReport(nodeid=name, outcome="failed", longrepr=str(error), result=[])
        report.when = cast("Literal['collect']", "deploy")  # its headline: ERROR at deploy of staging
        self._config.hook.pytest_collectreport(report=report)
