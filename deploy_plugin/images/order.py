"""Layers lowest first, from archives that have them in any order, without a disk to sort them on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from deploy_plugin.images import saved
from deploy_plugin.images.layers import Layer
from deploy_plugin.images.packed import Unpacked

HELD = 88_000_000
"""Bytes of layers that are kept in memory, where they come before their turn: another save costs more."""


class NotFoundError(Exception):
    """The archive does not say which layers it holds, or some are not in it as they are."""


def lowest_first(
    missing: Sequence[str], diff_ids: Sequence[str], save: Callable[[], Iterator[bytes]]
) -> Generator[Layer]:
    """Give each missing layer once, lowest first; what comes too early and is large is taken from another save.

    The engine takes a second until it gives the first byte, so the next save begins while this one is still read.
    """
    waiting = list(dict.fromkeys(missing))
    held: dict[str, Layer] = {}
    packed: dict[str, Unpacked] = {}
    with ThreadPoolExecutor(1) as pool:
        this: Future[Iterator[bytes]] | None = pool.submit(_from_first_byte, save)
        while waiting:
            if this is None:
                raise NotFoundError
            upcoming: Future[Iterator[bytes]] | None = None
            before, known = len(waiting), len(packed)
            for layer in saved.layers(this.result(), diff_ids, packed):
                if layer.diff_id == waiting[0]:
                    yield layer
                    del waiting[0]
                elif layer.diff_id in waiting and layer.size <= HELD - sum(one.size for one in held.values()):
                    held[layer.diff_id] = layer.in_memory()
                elif layer.diff_id in waiting and upcoming is None:
                    upcoming = pool.submit(_from_first_byte, save)
                while waiting and waiting[0] in held:
                    yield held.pop(waiting.pop(0))
                if not waiting:
                    break
            if waiting and (len(waiting), len(packed)) == (before, known):
                raise NotFoundError
            this = upcoming or (pool.submit(_from_first_byte, save) if waiting and len(packed) > known else None)


def _from_first_byte(save: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    chunks = save()
    first = next(chunks, b"")
    return _chained(first, chunks)


def _chained(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
