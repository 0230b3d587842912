"""A run that has a target: what it is about, where its tests are pointed, which are collected, in which order."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from deploy_plugin import hidden, live
from deploy_plugin.config import read_export_env
from deploy_plugin.detour import EXPORTED, Detour
from deploy_plugin.errors import ConfigError, DeployError
from deploy_plugin.fixtures import SESSION
from deploy_plugin.lifecycle import WORKER_KEY, Lifecycle
from deploy_plugin.reporting import json
from deploy_plugin.session import Session, Typed, settle
from deploy_plugin.typed import refuse_unless_typed

RERUNS = 1
"""How often a test that fails is tried again before it says something of the deploy; another number can be typed."""
PLAN_OF_WHAT = "--deploy-plan shows what a deploy would change: say where, with --deploy-to=TARGET."
BOTH_OPTIONS = "--deploy-to deploys and verifies, --verify-on only verifies: give one of them."
NO_TESTPATHS = (
    "Nothing to verify {target} with: none of the folders {folders} exists in {root}. "
    "Name the tests, or set deploy_testpaths in pytest.ini."
)


def configure(config: pytest.Config) -> None:
    """Settle what the run is about, and register what belongs to it; ``UsageError`` where that can't be."""
    session = _session(config)
    if session is None:
        return
    if not _is_worker(config):
        config.add_cleanup(session.discard)  # first: what is refused below leaves nothing either
    live.require_whole(config, "deploy-defaults", "terminal")
    config.stash[SESSION] = session
    hidden.install(config, session)
    config.option.base_url = session.target.url
    config.option.hosts = session.target.testinfra_host
    config.option.ssh_config = str(session.ssh_config)
    if session.deploys and getattr(config.option, "reruns", 0) is None:
        config.option.reruns = RERUNS
    live.register(config, Detour(config, session), "deploy-detour")
    if not _is_worker(config):
        live.register(config, Lifecycle(config, session), "deploy-lifecycle")
    live.put_up_gate(config, session)  # after the lifecycle, to be asked before it
    _export(config, session)


def put_in_order(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let tests run in the order of their folders in ``deploy_testpaths``."""
    folders = _testpaths(config)
    items.sort(key=lambda item: _place_in(folders, item.path))


def session_for(config: pytest.Config, target: str, *, deploys: bool) -> Session:
    """Settle what a target means here, with all that plugins say of it; ``ConfigError`` where it can't be."""
    added: dict[str, Any] = {}
    for targets in config.hook.pytest_deploy_targets(config=config):
        added.update(targets)
    ssh_config, identity_file = _path(config.option.ssh_config), _path(config.option.ssh_identity_file)
    typed = Typed(
        target,
        deploys,
        ssh_config,
        identity_file,
        downtime=config.option.deploy_downtime,
        first=config.option.deploy_first,
        on_failure=config.option.deploy_on_failure,
        show_values=getattr(config.option, "verbose", 0) > 0,  # without the terminal reporter there is no such option
        wait=config.option.deploy_wait,
    )
    session = settle(typed, config.rootpath, added)
    is_live = session.target.live or any(config.hook.pytest_deploy_is_live(target=session.target))
    return replace(session, target=replace(session.target, live=is_live))


def _session(config: pytest.Config) -> Session | None:
    if _is_worker(config):
        pickled = cast("Any", config).workerinput.get(WORKER_KEY)
        if pickled is None:
            return None
        session: Session = pickle.loads(pickled)  # noqa: S301 - from our own controller
        _collect_verification_tests(config, session.target.name)
        return session
    option = config.option
    given = [target for target in (option.deploy_to, option.verify_on) if target is not None]
    deploys = option.deploy_to is not None  # and be it empty: a variable of the shell that is not set
    try:
        if given and option.deploy_json:
            json.start_anew(option.deploy_json)
        if len(given) > 1:
            raise ConfigError(BOTH_OPTIONS)
        if option.deploy_plan and not deploys:
            raise ConfigError(PLAN_OF_WHAT)
        if not given:
            return None
        if deploys:
            refuse_unless_typed(config)
        _collect_verification_tests(config, given[0])
        return session_for(config, given[0], deploys=deploys)
    except DeployError as error:
        raise pytest.UsageError(str(error)) from None


def _export(config: pytest.Config, session: Session) -> None:
    """Tell suites that read the environment where the target is, before they are imported; in workers too."""
    try:
        name = read_export_env(config.rootpath)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    if name:
        environment = pytest.MonkeyPatch()
        environment.setenv(name, session.target.netloc)
        config.add_cleanup(environment.undo)
        config.stash[EXPORTED] = name


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
