"""Read what ``docker save`` writes, as it comes: which layer is which, and what is in it."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, cast

from deploy_plugin.images.layers import Layer, chain_ids, digest
from deploy_plugin.images.packed import Unpacked, look

_CHUNK = 1 << 18


def layers(saved: Iterable[bytes], diff_ids: Sequence[str], packed: dict[str, Unpacked]) -> Iterator[Layer]:
    """Give the layers in the order in which they come, which has no meaning; what is not read of one is passed over.

    Docker 25 and newer names a layer by its diff id. Older ones name it by a digest of what comes before it in the
    archive, and tell only at the archive's end which is which. Where containerd keeps it packed, its name is that of
    the packed one: ``packed`` tells which is which, and is told what is found out. A large one is then not given.
    """
    known = set(diff_ids)
    chain = chain_ids(diff_ids)
    coming = ""
    with tarfile.open(fileobj=cast("IO[bytes]", _Reader(saved)), mode="r|", bufsize=_CHUNK) as tar:
        for member in tar:
            folder, _, name = member.name.rpartition("/")
            if not member.isfile():
                continue
            if name == "json":
                position = _position(json.loads(_opened(tar, member).read()), chain)
                coming = diff_ids[position]
            elif name == "layer.tar":
                yield Layer(coming, member.size, _chunks(_opened(tar, member)))
            elif folder == "blobs/sha256" and f"sha256:{name}" in known:
                yield Layer(f"sha256:{name}", member.size, _chunks(_opened(tar, member)))
            elif folder == "blobs/sha256" and name in packed:
                yield packed[name].layer(_chunks(_opened(tar, member)))
            elif folder == "blobs/sha256":
                found, layer = look(_chunks(_opened(tar, member)))
                if found:
                    packed[name] = found
                if layer:
                    yield layer


def _position(described: Mapping[str, Any], chain: Sequence[str]) -> int:
    """Say which layer is described; the topmost is described by the image's own configuration, and so by no other.

    Docker names it by the digest of its description: https://github.com/moby/moby/blob/v20.10.24/image/v1/imagev1.go.
    """
    inner = {key: value for key, value in described.items() if key not in {"id", "os"}}
    if "parent" in described:
        inner["parent"] = f"sha256:{described['parent']}"
    for position, chain_id in enumerate(chain):
        if digest(_as_go_writes(inner | {"layer_id": chain_id})) == f"sha256:{described['id']}":
            return position
    return len(chain) - 1


def _as_go_writes(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(dict(sorted(value.items())), separators=(",", ":"), ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


def _opened(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    opened = tar.extractfile(member)
    assert opened is not None  # noqa: S101 - for mypy: it is a file
    return opened


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


class _Reader:
    """Lets ``tarfile`` read what comes in pieces."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)
