"""Which of an image's layers a server lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from deploy_plugin.images.layers import repository, sizes_of
from deploy_plugin.server.engine import Engine, Image, Store


@dataclass(frozen=True, slots=True)
class Lack:
    """The lowest layers are there, all others are not: a layer counts only with all below it."""

    diff_ids: Sequence[str]
    """All of the image's."""
    there: int = 0
    sizes: Sequence[int] = ()
    """The bytes of the tars of those that are there; nothing where they are not known."""

    @property
    def missing(self) -> Sequence[str]:
        return self.diff_ids[self.there :]


def find(image: Image, engine: Engine, store: Store) -> Lack:
    """Look through the images that are there, those of the same app first, until nothing below the top is missing."""
    found = Lack(image.diff_ids)
    for stored in engine.stored(repository(image.reference)):
        there = _shared(stored.diff_ids, image.diff_ids)
        sizes = sizes_of(stored.labels)
        # In containerd's store a layer can be named only as it is kept there, which is packed where it was pulled.
        if there > found.there and (store is Store.CLASSIC or len(sizes) >= there):
            found = Lack(image.diff_ids, there, sizes[:there])
        if found.there >= len(image.diff_ids) - 1:
            break
    return found


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
