"""The pytest plugin: options, and the moments of a pytest run at which something of ours happens."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from deploy_plugin.errors import ConfigError, DeployError
from deploy_plugin.fixtures import SESSION, deployment, manage_py
from deploy_plugin.reporting import json, terminal
from deploy_plugin.session import Session, settle

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

__all__ = ["deployment", "manage_py"]

BOTH_OPTIONS = "--deploy-to deploys and verifies, --verify-on only verifies: give one of them."
NO_TESTPATHS = (
    "Nothing to verify {target} with: none of the folders {folders} exists in {root}. "
    "Name the tests, or set deploy_testpaths in pytest.ini."
)
NOT_DEPLOYED = "the deploy failed, so no test was run"
NOT_COLLECTED = "not every test could be collected, so nothing was deployed and no test was run"
LIVE_SAFE = "live_safe: may run against a live target; there, every other test is deselected."
_WORKER_KEY = "pytest_deploy_session"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("deploy", "deploy a Django site, and test it where it is")
    group.addoption("--deploy-to", metavar="TARGET", help="deploy to TARGET, then run the tests against it")
    group.addoption(
        "--verify-on", metavar="TARGET", help="run the tests against what is on TARGET; nothing is deployed"
    )
    group.addoption("--deploy-json", metavar="FILE", type=Path, help="write the recap to FILE, for machines")
    parser.addini(
        "deploy_testpaths",
        "what is collected, and in which order, with a target and no path given",
        type="args",
        default=["infra_tests", "functional_tests"],
    )


@pytest.hookimpl(tryfirst=True)  # before testinfra and pytest-base-url read where they are pointed
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", LIVE_SAFE)
    session = _session(config)
    if session is None:
        return
    config.stash[SESSION] = session
    config.option.base_url = session.target.url
    config.option.hosts = f"ssh://{session.target.destination}"
    config.option.ssh_config = str(session.ssh_config)
    if not _is_worker(config):
        config.add_cleanup(session.discard)
        config.pluginmanager.register(Lifecycle(config, session), "deploy-lifecycle")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    session = config.stash.get(SESSION, None)
    if session is None:
        return
    if session.target.live:
        unsafe = [item for item in items if not item.get_closest_marker("live_safe")]
        config.hook.pytest_deselected(items=unsafe)
        items[:] = [item for item in items if item not in unsafe]
    folders = _testpaths(config)
    items.sort(key=lambda item: _place_in(folders, item.path))


class Lifecycle:
    """A run's story, told to pytest. Not registered in workers: the controller deploys once for all of them."""

    def __init__(self, config: pytest.Config, session: Session) -> None:
        self._config = config
        self._session = session
        self._server = session.connect()
        self._error: DeployError | None = None
        self._done: Any = None
        self._workers = 0
        self._failed_collections = 0

    @property
    def _terminal(self) -> pytest.TerminalReporter:
        return cast("pytest.TerminalReporter", self._config.pluginmanager.get_plugin("terminalreporter"))

    def pytest_report_header(self) -> str:
        target = self._session.target
        live = " (LIVE)" if target.live else ""
        verb = "to" if self._session.deploys else "verified on"
        return f"deploy: {self._session.app.name} {verb} {target.name}{live}: {target.destination}, {target.url}"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._failed_collections += report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        option = self._config.option
        collected = session.items and (not self._failed_collections or option.continue_on_collection_errors)
        if not collected or option.collectonly or option.setupplan or self._distributes:
            return None
        self._execute()
        if self._error:
            return True  # nobody else runs tests
        return None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        self._workers += 1
        node.workerinput[_WORKER_KEY] = pickle.dumps(self._session)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        self._workers -= 1
        option = self._config.option
        if self._workers or not ids or self._done or option.collectonly:
            return
        if self._failed_collections and not option.continue_on_collection_errors:
            pytest.exit(NOT_COLLECTED, returncode=pytest.ExitCode.INTERRUPTED)
        self._execute()
        if self._error:
            # Interrupted, for pytest to write its summary; pytest_sessionfinish then says the code that counts.
            pytest.exit(NOT_DEPLOYED, returncode=pytest.ExitCode.INTERRUPTED)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._error:
            session.exitstatus = self._error.exit_code

    def pytest_terminal_summary(self) -> None:
        if self._done and self._done.recap.steps:
            terminal.write_recap(self._terminal, self._session.target, self._done.release, self._done.recap)

    def pytest_unconfigure(self) -> None:
        self._server.close()

    @property
    def _distributes(self) -> bool:
        return self._config.pluginmanager.has_plugin("dsession")

    def _execute(self) -> None:
        target = self._session.target
        verb = "deploy to" if self._session.deploys else "verify on"
        terminal.write_title(self._terminal, f"{verb} {target.name}")
        self._done = self._session.execute(self._server, terminal.StepLines(self._terminal))
        self._error = self._done.error
        if path := self._config.option.deploy_json:
            json.write(path, target, self._done.release, self._done.recap, self._server.bytes_sent)
        if self._error:
            self._report(self._error)

    def _report(self, error: DeployError) -> None:
        report = pytest.CollectReport(
            nodeid=self._session.target.name, outcome="failed", longrepr=str(error), result=[]
        )
        report.when = cast("Any", "deploy")  # its headline: ERROR at deploy of staging
        self._config.hook.pytest_collectreport(report=report)


def _session(config: pytest.Config) -> Session | None:
    if _is_worker(config):
        pickled = cast("Any", config).workerinput.get(_WORKER_KEY)
        if pickled is None:
            return None
        session: Session = pickle.loads(pickled)  # noqa: S301 - from our own controller
        _collect_verification_tests(config, session.target.name)
        return session
    option = config.option
    if option.deploy_to and option.verify_on:
        raise pytest.UsageError(BOTH_OPTIONS)
    typed = option.deploy_to or option.verify_on
    if not typed:
        return None
    _collect_verification_tests(config, typed)
    try:
        return settle(
            typed,
            config.rootpath,
            deploys=bool(option.deploy_to),
            ssh_config=_path(option.ssh_config),
            identity_file=_path(option.ssh_identity_file),
        )
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None


def _collect_verification_tests(config: pytest.Config, target: str) -> None:
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        return
    folders = [folder for folder in _testpaths(config) if folder.exists()]
    if not folders:
        names = ", ".join(config.getini("deploy_testpaths"))
        raise pytest.UsageError(NO_TESTPATHS.format(target=target, folders=names, root=config.rootpath))
    config.args[:] = [str(folder) for folder in folders]


def _testpaths(config: pytest.Config) -> list[Path]:
    return [config.rootpath / folder for folder in config.getini("deploy_testpaths")]


def _place_in(folders: list[Path], path: Path) -> int:
    return next((place for place, folder in enumerate(folders) if path.is_relative_to(folder)), len(folders))


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None
