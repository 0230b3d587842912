"""The sandbox's image: built from the Dockerfile beside this file, once per content."""

from __future__ import annotations

import hashlib
import io
import tarfile
from importlib.resources import files
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.sandbox.state import locked, root

if TYPE_CHECKING:
    from docker import DockerClient

BASE = "debian:bookworm-slim"
REPOSITORY = "pytest-deploy-sandbox"
CONTEXT = ("Dockerfile", "entrypoint", "init-limits", "sshd.conf")
LAST_LINES = 20


def ensure_image(client: DockerClient, *, bare: bool) -> str:
    """Give the image's reference; build it if what it is made of was never built here."""
    from docker.errors import ImageNotFound

    context = {name: files("deploy_plugin.sandbox").joinpath(name).read_bytes() for name in CONTEXT}
    with locked(root() / ".image-lock"):
        tag = f"{REPOSITORY}:{_digest(context, _base(client))}-{'bare' if bare else 'server'}"
        try:
            client.images.get(tag)
        except ImageNotFound:
            _build(client, context, target="bare" if bare else "server", tag=tag)
        return tag


def _base(client: DockerClient) -> str:
    from docker.errors import APIError, ImageNotFound

    try:
        return str(client.images.get(BASE).id)
    except ImageNotFound:
        pass
    try:
        return str(client.images.pull(BASE).id)
    except APIError as error:
        raise StepFailed(
            f"The sandbox starts from {BASE}, which is not on this machine and could not be pulled.",
            got=str(error.explanation or error),
            hint="Let Docker reach a registry, or make a stand-in from Debian's packages: scripts/base-image",
        ) from error


def _build(client: DockerClient, context: dict[str, bytes], *, target: str, tag: str) -> None:
    from docker.errors import APIError, BuildError

    try:
        client.images.build(
            fileobj=io.BytesIO(_tar(context)),
            custom_context=True,
            target=target,
            buildargs={"BASE": BASE},
            tag=tag,
            rm=True,
            forcerm=True,
        )
    except (BuildError, APIError) as error:
        log = getattr(error, "build_log", [])
        lines = "".join(piece.get("stream", "") for piece in log).splitlines()[-LAST_LINES:]
        raise StepFailed(
            f"The sandbox's image {tag} could not be built.",
            got="\n".join([*lines, str(error)]),
            hint="It installs Debian packages: see whether apt reaches its mirror from inside a container.",
        ) from error


def _digest(context: dict[str, bytes], base: str) -> str:
    content = hashlib.sha256(base.encode())
    for name, data in context.items():
        content.update(f"\0{name}\0{len(data)}\0".encode() + data)
    return content.hexdigest()[:12]


def _tar(context: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, data in context.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.mode = 0o644
            tar.addfile(member, io.BytesIO(data))
    return archive.getvalue()
