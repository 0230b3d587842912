"""The two forms of an archive that holds only some of an image's layers, as each of Docker's image stores takes it."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy_plugin.images.layers import Layer, digest
from deploy_plugin.server.engine import Store

_OCI = "application/vnd.oci.image"
_END = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class Contents:
    """What an archive says of its image. It may name layers that are not in it: the engine has them."""

    configuration: Mapping[str, Any]
    """Names the layers, as ``rootfs``."""
    sizes: Sequence[int]
    """The bytes of each layer's tar, lowest first; only the containerd store asks for them."""
    reference: str | None = None
    """None makes an image without a name."""


def archive(store: Store, layers: Iterable[Layer], contents: Callable[[], Contents]) -> Iterator[bytes]:
    """Give the archive piece by piece: the layers as they come, and then what ``contents`` says of them."""
    for layer in layers:
        yield _header(_NAMES[store](layer.diff_id), layer.size)
        yield from layer.chunks
        yield bytes(-layer.size % tarfile.BLOCKSIZE)
    for name, content in _FORMS[store](contents()).items():
        yield _header(name, len(content)) + content + bytes(-len(content) % tarfile.BLOCKSIZE)
    yield _END


def _classic(contents: Contents) -> dict[str, bytes]:
    """Give what ``docker save`` writes beside the layers: the engine takes those that it has from its own store."""
    configuration = _json(contents.configuration)
    name = f"{_hex(digest(configuration))}.json"
    layers = [_layer_tar(diff_id) for diff_id in contents.configuration["rootfs"]["diff_ids"]]
    tags = [contents.reference] if contents.reference else None
    return {name: configuration, "manifest.json": _json([{"Config": name, "RepoTags": tags, "Layers": layers}])}


def _oci(contents: Contents) -> dict[str, bytes]:
    """Give an image layout: https://github.com/opencontainers/image-spec/blob/main/image-layout.md."""
    configuration = _json(contents.configuration)
    layers = zip(contents.configuration["rootfs"]["diff_ids"], contents.sizes, strict=True)
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{_OCI}.manifest.v1+json",
            "config": _described("config.v1+json", digest(configuration), len(configuration)),
            "layers": [_described("layer.v1.tar", *layer) for layer in layers],
        }
    )
    described = _described("manifest.v1+json", digest(manifest), len(manifest))
    if contents.reference:
        described["annotations"] = {"io.containerd.image.name": f"docker.io/library/{contents.reference}"}
    return {
        _blob(digest(configuration)): configuration,
        _blob(digest(manifest)): manifest,
        "index.json": _json({"schemaVersion": 2, "manifests": [described]}),
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
    }


def _layer_tar(diff_id: str) -> str:
    return f"{_hex(diff_id)}.tar"


def _blob(name: str) -> str:
    return f"blobs/sha256/{_hex(name)}"


_FORMS = {Store.CLASSIC: _classic, Store.CONTAINERD: _oci}
_NAMES = {Store.CLASSIC: _layer_tar, Store.CONTAINERD: _blob}


def _described(kind: str, name: str, size: int) -> dict[str, Any]:
    return {"mediaType": f"{_OCI}.{kind}", "digest": name, "size": size}


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.PAX_FORMAT)  # a layer may have more than the 8 GiB that older forms can say


def _hex(name: str) -> str:
    return name.removeprefix("sha256:")


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
