"""While visitors get the maintenance page, this run's tests reach the site by another address."""

from __future__ import annotations

import os

import pytest

from deploy_plugin.session import Session

EXPORTED = pytest.StashKey[str]()
"""The environment variable that tells where the site is."""


class Detour:
    """Points tests there once the deploy is over; registered in workers too."""

    def __init__(self, config: pytest.Config, session: Session) -> None:
        self._config = config
        self._session = session
        self._done = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        if self._done:
            return
        self._done = True
        deployment = self._session.deployment
        if deployment and deployment.door:
            self._config.option.base_url = deployment.door
            if name := self._config.stash.get(EXPORTED, None):
                os.environ[name] = deployment.door.partition("://")[2]  # what it was comes back in the end
