"""A one-off container may not take longer than it was given."""

from __future__ import annotations

from typing import cast

import pytest
from docker.models.containers import Container
from requests.exceptions import ConnectionError as SdkConnectionError
from requests.exceptions import ReadTimeout

from deploy_plugin.errors import StepFailed
from deploy_plugin.server.making import ended as awaited

SLOW = ReadTimeout("UnixHTTPConnectionPool: Read timed out. (read timeout=3)")
BROKEN = SdkConnectionError("('Connection aborted.', RemoteDisconnected())")


class Waiting:
    """A container as far as Docker's SDK tells of its end."""

    def __init__(self, says: Exception | int) -> None:
        self._says = says

    def wait(self, *, timeout: float | None) -> dict[str, int]:
        assert timeout == 3
        if isinstance(self._says, Exception):
            raise self._says
        return {"StatusCode": self._says}

    def logs(self, *, tail: int) -> bytes:
        return f"the last {tail} lines".encode()


def ended(says: Exception | int) -> int:
    return awaited(cast("Container", Waiting(says)), "site-migrate", 3)


def test_one_that_ends_in_time_tells_its_exit_code() -> None:
    assert ended(2) == 2


@pytest.mark.parametrize("error", [SLOW, SdkConnectionError(str(SLOW))], ids=["read", "connection"])
def test_a_container_that_takes_too_long_is_ended_and_its_log_is_shown(error: Exception) -> None:
    with pytest.raises(StepFailed, match=r"site-migrate did not end within 3 s, and was stopped\.") as caught:
        ended(error)
    assert caught.value.got == "the last 25 lines"


def test_a_connection_that_breaks_is_told_from_that() -> None:
    with pytest.raises(SdkConnectionError):
        ended(BROKEN)
