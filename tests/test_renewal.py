"""Something said again and again: as long as there is any use in it, and no longer than it is wanted."""

from __future__ import annotations

import threading

from deploy_plugin.renewal import Renewal


def test_it_is_said_again_until_it_is_stopped() -> None:
    said = threading.Semaphore(0)

    def say() -> bool:
        said.release()
        return True

    renewal = Renewal(say, 0.001)
    for _ in range(3):
        assert said.acquire(timeout=30)
    assert renewal.goes_on
    renewal.stop()
    assert renewal.was_ended


def test_where_there_is_no_use_in_it_it_ends_by_itself() -> None:
    said: list[bool] = []
    over = threading.Event()

    def say() -> bool:
        said.append(True)
        over.set()
        return False

    renewal = Renewal(say, 0.001)
    assert over.wait(timeout=30)
    renewal.stop()
    assert not renewal.goes_on
    assert said == [True]
