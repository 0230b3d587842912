"""Something that is begun now, and waited for later."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def begun(act: Callable[[], T], name: str) -> Future[T]:
    """Do it in a thread that ends with this process, and does not keep it: a server can take minutes to answer."""
    result: Future[T] = Future()

    def go() -> None:
        try:
            result.set_result(act())
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            result.set_exception(error)

    threading.Thread(target=go, name=name, daemon=True).start()
    return result
