"""The infra tests warn of what was wrong on the server before, and fail no deploy for it."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from deploy_plugin.errors import ServerWarning
from infra_tests import test_server

DF = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 100 95 5 {used}% /\n"


class Host:
    """A testinfra host that answers as it is told."""

    def __init__(self, output: str = "", sockets: tuple[str, ...] = ()) -> None:
        self.socket = SimpleNamespace(get_listening_sockets=lambda: sockets)
        self._output = output

    def check_output(self, _command: str, *_arguments: str) -> str:
        return self._output


@pytest.fixture
def deployed() -> Any:
    return cast("Any", SimpleNamespace(folder=SimpleNamespace(path="/home"), target=SimpleNamespace(publish=80)))


def test_a_clock_that_is_off_warns() -> None:
    with pytest.warns(ServerWarning, match="clock is 6.. s off"):
        test_server.test_the_clock_is_right(cast("Any", Host(str(int(time.time()) - 650))))


def test_a_disk_that_is_nearly_full_warns(deployed: Any) -> None:
    with pytest.warns(ServerWarning, match="95 % full"):
        test_server.test_the_disk_has_room(cast("Any", Host(DF.format(used=95))), deployed)


def test_a_stray_port_warns(deployed: Any) -> None:
    host = Host(sockets=("tcp://0.0.0.0:80", "tcp://:::22", "tcp://127.0.0.1:5000", "tcp://0.0.0.0:5432"))

    with pytest.warns(ServerWarning, match="port 5432") as caught:
        test_server.test_nothing_else_listens(cast("Any", host), deployed)

    assert len(caught) == 1


def test_a_server_that_is_well_warns_of_nothing(deployed: Any) -> None:
    test_server.test_the_clock_is_right(cast("Any", Host(str(int(time.time())))))
    test_server.test_the_disk_has_room(cast("Any", Host(DF.format(used=12))), deployed)
    test_server.test_nothing_else_listens(cast("Any", Host(sockets=("tcp://0.0.0.0:80", "tcp://0.0.0.0:22"))), deployed)
