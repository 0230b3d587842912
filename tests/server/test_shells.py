"""Some shells for threads that ask at the same time."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BufferedReader
from pathlib import Path
from typing import cast

import pytest

from deploy_plugin.server import shells
from deploy_plugin.server.base import quote
from deploy_plugin.server.shell import Busy, Shell
from deploy_plugin.server.shells import Shells
from tests.waiting import until

AWAIT = 'touch "$1/$2"; until [ -e "$1/enough" ]; do sleep 0.01; done; echo "$2"'


class Opened:
    """Shells of this machine, and how many were opened."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self.refuses = False

    def __call__(self) -> Shell:
        if self.refuses:
            raise EOFError
        process = subprocess.Popen(["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.processes.append(process)
        assert process.stdin
        return Shell(process.stdin, cast("BufferedReader", process.stdout))


@pytest.fixture
def opened() -> Iterator[Opened]:
    opened = Opened()
    yield opened
    for process in opened.processes:
        process.communicate()


def test_who_asks_alone_always_has_the_first(opened: Opened) -> None:
    some = Shells(opened(), opened)
    assert [some.run(f"echo {number}").stdout for number in range(3)] == [b"0\n", b"1\n", b"2\n"]
    assert len(opened.processes) == 1


def test_who_asks_meanwhile_has_another_one_which_stays(opened: Opened, tmp_path: Path) -> None:
    some = Shells(opened(), opened)
    with ThreadPoolExecutor() as threads:
        waits = threads.submit(some.run, quote(("sh", "-c", AWAIT, "sh", str(tmp_path), "one")))
        until((tmp_path / "one").exists)
        assert some.run("echo two").stdout == b"two\n"
        assert some.run("cat", b"three").stdout == b"three"
        (tmp_path / "enough").touch()
        assert waits.result().stdout == b"one\n"
    assert len(opened.processes) == 2


@pytest.mark.parametrize("refuses", [False, True], ids=["no more are wanted", "no more can be had"])
def test_who_finds_none_is_told(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, refuses: bool
) -> None:
    monkeypatch.setattr(shells, "_MOST", 3 if refuses else 1)
    some = Shells(opened(), opened)
    opened.refuses = refuses
    waits = threading.Thread(target=some.run, args=(quote(("sh", "-c", AWAIT, "sh", str(tmp_path), "one")),))
    waits.start()
    until((tmp_path / "one").exists)
    with pytest.raises(Busy):
        some.run("true")
    (tmp_path / "enough").touch()
    waits.join()
