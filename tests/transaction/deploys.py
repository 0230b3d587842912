"""Deploys again and again, on a server that is a folder."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from deploy_plugin import transaction
from deploy_plugin.errors import DeployError
from deploy_plugin.models import App, Deployment, Outcome
from deploy_plugin.runner import Runner
from deploy_plugin.testing import FakeServer
from tests.listener import Told
from tests.site import TARGET, Site, reached

NEW = "superlists-202[!0]*-???????"
"""The container that is to serve: not the old one of 2020, and not the candidate."""


@dataclass
class Deploys:
    """Deploys again and again, as runs do."""

    server: FakeServer
    app: App
    runner: Runner
    site: Site

    def __call__(self) -> Deployment:
        self.server.journal.clear()
        self.runner = Runner(self.server, Told())
        try:
            return transaction.deploy(self.app, TARGET, self.server, self.runner)
        finally:
            self.runner.release_lease()

    def fails(self) -> DeployError:
        with pytest.raises(DeployError) as caught:
            self()
        return caught.value

    @property
    def outcomes(self) -> dict[str, Outcome]:
        return {step.title: step.outcome for step in self.runner.recap.steps}

    @property
    def serving(self) -> str:
        """The container that visitors reach."""
        return reached(self.server, self.site)

    @property
    def ids(self) -> set[str]:
        return {container.id for container in self.server.engine.containers({}) if container.running}

    def change_code(self) -> None:
        (self.app.context / "app.py").write_text("print('two')\n")


published = pytest.mark.parametrize("proxied", [False], ids=["published"])
either_way = pytest.mark.parametrize("proxied", [True, False], ids=["proxied", "published"])
