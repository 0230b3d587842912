"""An image's layers: how they are named, and how one is handed on without being held whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SIZES_LABEL = "deploy.layer-sizes"
"""Put on images that are shipped: the bytes of each layer's tar, lowest first, with commas between.

In containerd's store always: it says that the layers are kept as they came. In the classic one where all are known.
"""
PARTIAL_LABEL = "deploy.partial"
"""Put on images that hold the lowest layers of one that is on its way; the value is that one's repository."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as a tar, to be read once."""

    diff_id: str
    size: int
    chunks: Iterable[bytes]

    def in_memory(self) -> Layer:
        return Layer(self.diff_id, self.size, list(self.chunks))


def chain_ids(diff_ids: Sequence[str]) -> list[str]:
    """Name each layer together with all below it, as Docker does."""
    chain: list[str] = []
    for diff_id in diff_ids:
        chain.append(digest(f"{chain[-1]} {diff_id}".encode()) if chain else diff_id)
    return chain


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def sizes_of(labels: Mapping[str, str]) -> Sequence[int]:
    """Read the label; nothing where there is none."""
    return [int(size) for size in labels.get(SIZES_LABEL, "").split(",") if size.isdecimal()]


def repository(reference: str) -> str:
    """``superlists`` of ``superlists:1a2b3c``."""
    return reference.rpartition(":")[0]
