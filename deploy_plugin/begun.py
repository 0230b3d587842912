"""Something that is begun now, and waited for later."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def begun(act: Callable[[], T], name: str, result: Future[T] | None = None) -> Future[T]:
    """Do it in a thread that ends with this process, and does not keep it: a server can take minutes to answer.

    Who may be interrupted before this returns brings the ``result``: where that can be cancelled, nothing is ever done.
    """
    result = result or Future()

    def go() -> None:
        if not result.set_running_or_notify_cancel():
            return
        try:
            result.set_result(act())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            result.set_exception(error)

    threading.Thread(target=go, name=name, daemon=True).start()
    return result
