"""The pytest plugin: its options, hooks and fixtures.

A run without a target imports nothing of ours but what stands at the top here: many a run of pytest has none.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from deploy_plugin import defaults, hookspecs
from deploy_plugin.fixtures import SESSION, deployment, manage_py
from deploy_plugin.markers import MARKERS

__all__ = ["deployment", "manage_py"]


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)
    pluginmanager.register(defaults, "deploy-defaults")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("deploy", "deploy a Django site, and test it where it is")
    group.addoption("--deploy-to", metavar="TARGET", help="deploy to TARGET, then run the tests against it")
    group.addoption(
        "--verify-on", metavar="TARGET", help="run the tests against what is on TARGET; nothing is deployed"
    )
    group.addoption(
        "--deploy-plan",
        action="store_true",
        help="with --deploy-to: show what would change, change nothing, run no test",
    )
    group.addoption(
        "--deploy-first", action="store_true", help="with --deploy-to: a live target may be without a database"
    )
    group.addoption(
        "--deploy-downtime",
        action="store_true",
        help="with --deploy-to: close the site meanwhile where a migration needs that",
    )
    group.addoption(
        "--deploy-wait",
        metavar="SECONDS",
        type=int,
        default=0,
        help="with --deploy-to: how long to wait where somebody else deploys (not at all)",
    )
    group.addoption(
        "--deploy-on-failure",
        choices=("rollback", "keep"),
        help="with --deploy-to: what failing tests do with the new release; default: rollback on live, else keep",
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
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    option = config.option
    if option.deploy_to is not None or option.verify_on is not None or option.deploy_plan:
        from deploy_plugin import targeted

        targeted.configure(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if SESSION in config.stash:
        from deploy_plugin import targeted

        targeted.put_in_order(config, items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, bool | None, bool | None]:
    if run := session.config.stash.get(SESSION, None):
        from deploy_plugin import live

        live.require_gate(session.config, run)
    return (yield)
