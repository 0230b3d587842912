"""Image archives, as the engine in memory writes and reads them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy_plugin.errors import StepFailed
from deploy_plugin.server.engine import Image


@dataclass(frozen=True, slots=True)
class Read:
    """What an archive holds, whichever form it has."""

    reference: str | None
    configuration: Mapping[str, Any]
    layers: Mapping[str, bytes]
    """By diff id; those that are in it."""


def diff_id(layer: bytes) -> str:
    return f"sha256:{hashlib.sha256(layer).hexdigest()}"


def write(
    reference: str, configuration: Mapping[str, Any], layers: Mapping[str, bytes], *, packed: bool = False
) -> bytes:
    """Write as Docker 25 and newer do: what is in it is named by its digest, and comes in that order.

    With ``packed`` the layers are as containerd's store keeps those that came from a registry.
    """
    said = json.dumps(configuration).encode()
    kept = {name: gzip.compress(content, mtime=0) if packed else content for name, content in layers.items()}
    blobs = {_hex(diff_id(content)): content for content in [*kept.values(), said]}
    names = [_blob(_hex(diff_id(kept[name]))) for name in configuration["rootfs"]["diff_ids"]]
    manifest = [{"Config": _blob(_hex(diff_id(said))), "RepoTags": [reference], "Layers": names}]
    files = {_blob(name): blobs[name] for name in sorted(blobs)} | {"manifest.json": json.dumps(manifest).encode()}
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return archive.getvalue()


def read(archive: bytes) -> Read:
    """Read either form, packed or not; StepFailed where it is cut off."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            files = {one.name: tar.extractfile(one).read() for one in tar if one.isfile()}  # type: ignore[union-attr]
    except (tarfile.ReadError, EOFError) as error:
        raise StepFailed("Docker on the server did not take the image.", got=str(error)) from error
    if "manifest.json" in files:
        manifest = json.loads(files["manifest.json"])[0]
        reference = next(iter(manifest["RepoTags"] or ()), None)
        configuration = json.loads(files[manifest["Config"]])
    else:
        described = json.loads(files["index.json"])["manifests"][0]
        reference = described.get("annotations", {}).get("io.containerd.image.name")
        reference = reference and reference.removeprefix("docker.io/library/")
        manifest = json.loads(files[_blob(_hex(described["digest"]))])
        configuration = json.loads(files[_blob(_hex(manifest["config"]["digest"]))])
    contents = {diff_id(content): content for content in files.values()}
    wanted = configuration["rootfs"]["diff_ids"]
    return Read(reference, configuration, {name: contents[name] for name in wanted if name in contents})


def _blob(name: str) -> str:
    return f"blobs/sha256/{name}"


def _hex(name: str) -> str:
    return name.removeprefix("sha256:")


def image(reference: str, configuration: Mapping[str, Any]) -> Image:
    exposed = configuration["config"].get("ExposedPorts") or {}
    return Image(
        reference=reference,
        diff_ids=tuple(configuration["rootfs"]["diff_ids"]),
        size=1000,
        ports=tuple(int(port.partition("/")[0]) for port in exposed),
        configuration=configuration,
    )


def labels(image: Image) -> Mapping[str, str]:
    return image.configuration["config"].get("Labels") or {}
