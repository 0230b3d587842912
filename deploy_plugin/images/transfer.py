"""Bring layers to a server in several loads: what one has brought stays there when the next is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from deploy_plugin.images.archive import Contents, archive
from deploy_plugin.images.layers import PARTIAL_LABEL, SIZES_LABEL, Layer, repository
from deploy_plugin.images.loads import Loads
from deploy_plugin.images.missing import Lack
from deploy_plugin.server.base import Shipping
from deploy_plugin.server.engine import Image, Store

GROUP = 16_000_000
"""Bytes that are sent again at most for the layers of one load, unless one alone is larger."""
CRUMB = 1_000_000
"""Bytes of a layer that is not worth a load of its own."""


@dataclass(slots=True)
class Transfer:
    """Loads some neighbouring layers at a time, lowest first; only the last load gives the image its name."""

    image: Image
    store: Store
    lack: Lack
    load: Callable[[Iterator[bytes]], None]
    show: Callable[[Shipping], None]
    shipping: Shipping
    _sizes: dict[str, int] = field(default_factory=dict)
    _done: int = 0

    def run(self, layers: Iterator[Layer]) -> None:
        """Take every missing layer; StepFailed where the engine refuses a load."""
        self._sizes = dict(zip(self.lack.diff_ids, self.lack.sizes, strict=False))
        self._done = self.lack.there
        coming, loads = _Peekable(layers), Loads(self.load)
        before = None
        try:
            while before is None or (coming.peek() and self._done != before):
                before = self._done
                loads.send(archive(self.store, self._group(coming), self._contents))
                if self.store is Store.CONTAINERD:
                    loads.wait()  # of one that is cut while it is unpacked this store keeps nothing
            loads.wait()
        finally:
            loads.give_up()

    def _group(self, coming: _Peekable) -> Iterator[Layer]:
        size = 0
        while (layer := coming.peek()) and (not size or layer.size <= CRUMB or size + layer.size <= GROUP):
            coming.take()
            yield replace(layer, chunks=self._shown(layer.chunks))
            size += layer.size
            self._arrived(layer)

    def _shown(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            yield chunk
            self.shipping = replace(self.shipping, done=self.shipping.done + len(chunk))
            self.show(self.shipping)

    def _arrived(self, layer: Layer) -> None:
        self._sizes[layer.diff_id] = layer.size
        diff_ids = self.lack.diff_ids
        while self._done < len(diff_ids) and (self._done < self.lack.there or diff_ids[self._done] in self._sizes):
            self._done += 1
        self.shipping = replace(self.shipping, layers_done=self._done - self.lack.there)
        self.show(self.shipping)

    def _contents(self) -> Contents:
        whole = self._done == len(self.lack.diff_ids)
        diff_ids = list(self.lack.diff_ids[: self._done])
        sizes = [self._sizes.get(diff_id, 0) for diff_id in diff_ids]
        said = self.image.configuration
        config = dict(said.get("config") or {}) if whole else {}
        labels = dict(config.get("Labels") or {})
        if not whole:
            labels[PARTIAL_LABEL] = repository(self.image.reference)
        if self.store is Store.CONTAINERD or all(sizes):
            labels[SIZES_LABEL] = ",".join(map(str, sizes))
        configuration = {
            **said,
            "config": {**config, "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        }
        return Contents(configuration, sizes, self.image.reference if whole else None)


class _Peekable:
    def __init__(self, layers: Iterator[Layer]) -> None:
        self._layers = layers
        self._next: list[Layer | None] = []

    def peek(self) -> Layer | None:
        if not self._next:
            self._next.append(next(self._layers, None))
        return self._next[0]

    def take(self) -> None:
        self._next.clear()
