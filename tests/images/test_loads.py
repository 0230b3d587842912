"""Loads overlap: one is sent while the one before is unpacked, and ends only after it."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.images import loads
from deploy_plugin.images.loads import Loads
from tests.waiting import until

SECONDS = 30


class Engine:
    """Takes what is sent, and then unpacks it for as long as it is told to."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.loaded: list[bytes] = []
        self.may_load = threading.Event()

    def load(self, archive: Iterator[bytes]) -> None:
        whole = b""
        for piece in archive:
            self.taken.append(piece)
            whole += piece
        assert self.may_load.wait(SECONDS)
        self.loaded.append(whole)


@pytest.fixture
def engine() -> Engine:
    return Engine()


def pieces(*sizes: int) -> list[bytes]:
    return [str(number).encode() * size for number, size in enumerate(sizes)]


def test_archives_arrive_whole_and_in_their_order(engine: Engine) -> None:
    engine.may_load.set()
    under_way, archives = Loads(engine.load), [pieces(3, 2, 1), pieces(1), pieces(5, 5), []]
    for archive in archives:
        under_way.send(archive)
    under_way.wait()
    assert engine.loaded == [b"".join(archive) for archive in archives]


def test_nothing_to_load_is_loaded() -> None:
    Loads(Engine().load).wait()


def test_one_is_sent_while_the_one_before_is_unpacked_but_for_its_end(engine: Engine) -> None:
    under_way = Loads(engine.load)
    under_way.send([b"a", b"b"])
    under_way.send([b"c", b"d", b"end"])
    until(lambda: engine.taken == [b"a", b"b", b"c", b"d"])
    assert engine.loaded == []
    engine.may_load.set()
    under_way.wait()
    assert engine.loaded == [b"ab", b"cdend"]


def test_no_more_than_two_are_under_way(engine: Engine) -> None:
    under_way = Loads(engine.load)
    under_way.send([b"a"])
    under_way.send([b"b", b"end"])
    with ThreadPoolExecutor() as pool:
        third = pool.submit(under_way.send, [b"c", b"end"])
        until(lambda: engine.taken == [b"a", b"b"])
        assert not third.done()
        engine.may_load.set()
        third.result(SECONDS)
    under_way.wait()
    assert engine.loaded == [b"a", b"bend", b"cend"]


def test_what_is_refused_is_raised_by_whoever_waits() -> None:
    def refuse(archive: Iterable[bytes]) -> None:
        list(archive)
        raise StepFailed("No.")

    under_way = Loads(refuse)
    with suppress(StepFailed):  # it may be known already
        under_way.send([b"a"])
    with pytest.raises(StepFailed, match="No"):
        under_way.wait()


def test_after_one_that_is_refused_nothing_more_is_read() -> None:
    others_come = threading.Event()

    def refuse(archive: Iterable[bytes]) -> None:
        list(archive)
        assert others_come.wait(SECONDS)
        raise StepFailed("No.")

    def endless() -> Iterator[bytes]:
        while True:
            others_come.set()
            yield b"x"

    under_way = Loads(refuse)
    under_way.send([b"a"])
    with pytest.raises(StepFailed, match="No"):
        under_way.send(endless())


def test_what_can_not_be_read_ends_it(engine: Engine) -> None:
    def archive() -> Iterator[bytes]:
        yield b"a"
        raise KeyError("layer")

    engine.may_load.set()
    with pytest.raises(KeyError):
        Loads(engine.load).send(archive())
    assert engine.loaded == []


def test_who_is_interrupted_may_take_the_archive_away(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def endless() -> Generator[bytes]:
        while True:
            begun.set()
            yield b"x"

    def interrupted(*_: object, **__: object) -> None:
        monkeypatch.setattr(loads, "wait", wait)
        assert begun.wait(SECONDS)
        raise KeyboardInterrupt

    monkeypatch.setattr(loads, "wait", interrupted)
    under_way, archive = Loads(engine.load), endless()
    with pytest.raises(KeyboardInterrupt):
        under_way.send(archive)
    under_way.give_up()
    archive.close()  # ValueError, if somebody still read it
    assert engine.loaded == []
