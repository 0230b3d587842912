"""What the checks of a server share. They only read, so they may run against live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

from deploy_plugin.models import Deployment

HERE = Path(__file__).parent
SECRET_PARTS = ("Env",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.live_safe)


@pytest.fixture
def container(host: Host, deployment: Deployment) -> dict[str, Any]:
    """What Docker says of the release's container."""
    return _inspected(host, deployment.container)


@pytest.fixture
def front(host: Host, deployment: Deployment) -> dict[str, Any]:
    """What Docker says of the container that holds the port: the proxy's, unless the app has none."""
    return _inspected(host, deployment.front)


def _inspected(host: Host, name: str) -> dict[str, Any]:
    """Leave the environment out: a failing assertion would print it."""
    inspected: dict[str, Any] = host.docker(name).inspect()
    inspected["Config"] = {key: value for key, value in inspected["Config"].items() if key not in SECRET_PARTS}
    return inspected
