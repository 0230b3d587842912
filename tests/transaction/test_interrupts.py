"""A deploy that is interrupted, at every step."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from deploy_plugin import transaction
from deploy_plugin.runner import Runner
from deploy_plugin.steps.base import Step
from tests.listener import Told
from tests.site import TARGET, running
from tests.transaction.deploys import Deploys, either_way

# Ctrl-C


BOTH_WAYS = [
    *("Gather facts", "Recall the target", "Install Docker", "Preflight", "Build image", "Ship image"),
    *("Remember the target", "Ensure env file", "Ensure database", "Ensure volumes", "Keep the release's settings"),
    *("Rehearse the migration", "Snapshot the database", "Migrate", "Keep the record"),
]
PROXIED = [
    *(*BOTH_WAYS, "Ship the proxy", "Start the release", "Await health", "Keep static files", "Ensure proxy", "Switch"),
]
PUBLISHED = [*BOTH_WAYS, "Start the candidate", "Publish"]
EVERY_TITLE = [*((True, title) for title in PROXIED), *((False, title) for title in PUBLISHED)]


@dataclass
class Interrupting(Told):
    title: str = ""

    def pytest_deploy_step_started(self, *, step: Step) -> None:
        if step.title == self.title:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("proxied", "title"), EVERY_TITLE)
@pytest.mark.usefixtures("old")
def test_ctrl_c_at_any_step_leaves_one_that_serves_and_nothing_else(deploy: Deploys, title: str) -> None:
    before, ids = deploy.serving, deploy.ids
    deploy.change_code()
    runner = Runner(deploy.server, Interrupting(title=title))
    with pytest.raises(KeyboardInterrupt):
        transaction.deploy(deploy.app, TARGET, deploy.server, runner)
    assert runner.recap.steps[-1].title == title
    assert running(deploy.server) == {deploy.serving}
    goes_on = title == "Keep the record" and not deploy.app.proxied
    assert (deploy.serving == before) == (deploy.ids == ids) == (not goes_on)
    assert deploy().container == deploy.serving


@either_way
def test_every_step_is_interrupted_once(deploy: Deploys) -> None:
    deploy()
    titles = PROXIED if deploy.app.proxied else PUBLISHED
    assert {step.title for step in deploy.runner.recap.steps} == set(titles)
