"""The first Ctrl-C waits, the second one does not."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from deploy_plugin.ctrl_c import second_one_counts


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_one_is_only_said() -> None:
    said: list[str] = []
    with second_one_counts(lambda: said.append("once more")):
        press()
        assert said == ["once more"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_second_one_interrupts() -> None:
    said: list[str] = []
    with second_one_counts(lambda: said.append("once more")):
        press()
        with pytest.raises(KeyboardInterrupt):
            press()
    assert said == ["once more"]


def test_afterwards_it_is_as_it_was() -> None:
    with second_one_counts(lambda: None):
        pass
    with pytest.raises(KeyboardInterrupt):
        press()


def test_somebody_elses_handler_stays() -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    try:
        with second_one_counts(lambda: heard.append(0)):
            press()
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]


def test_another_thread_changes_nothing() -> None:
    seen: list[object] = []

    def work() -> None:
        with second_one_counts(lambda: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_what_can_not_be_said_just_then_is_no_error() -> None:
    def say() -> None:
        raise RuntimeError("reentrant call")

    with second_one_counts(say):
        press()
