"""A server that is a folder, and whoever deploys to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from deploy_plugin import health
from deploy_plugin.models import App, Deployment, SecretSource
from deploy_plugin.runner import Runner
from deploy_plugin.testing import FakeServer
from tests.listener import Told
from tests.machine import Machine
from tests.site import Site
from tests.transaction.deploys import Deploys


@pytest.fixture
def proxied() -> bool:
    return True


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_PAUSE", 0.01)


@pytest.fixture
def deploy(server: FakeServer, app: App, machine: Machine, site: Site, *, proxied: bool) -> Deploys:
    assert machine.built == []
    volumes = {"media": PurePosixPath("/media")}
    app = replace(app, secrets={"KEY": SecretSource(generate=50)}, volumes=volumes, proxied=proxied)
    return Deploys(server, app, Runner(server, Told()), site)


@pytest.fixture
def old(deploy: Deploys, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """The release that serves, made at a time that no clock gives again."""
    from deploy_plugin import release

    with monkeypatch.context() as patch:
        new = release._new_release  # noqa: SLF001 - the clock is its own
        patch.setattr(release, "_new_release", lambda *a: replace(new(*a), id="20200101-000000-abcdef0"))
        return deploy()
