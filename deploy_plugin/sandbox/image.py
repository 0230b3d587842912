"""The sandbox's image: built from the Dockerfile beside this file, once per content."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING

from deploy_plugin.errors import StepFailed
from deploy_plugin.sandbox.state import EngineKind, locked, root

if TYPE_CHECKING:
    from docker import DockerClient

REPOSITORY = "pytest-deploy-sandbox"
CONTEXT = ("Dockerfile", "entrypoint", "init-limits", "sshd.conf")
LAST_LINES = 20
BOOKWORM, TRIXIE = "debian:bookworm-slim", "debian:trixie-slim"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one kind of sandbox is made from: a target of the Dockerfile, and its arguments."""

    target: str
    base: str
    arguments: Mapping[str, str] = field(default_factory=dict)


RECIPES: Mapping[EngineKind | None, Recipe] = {
    None: Recipe("bare", BOOKWORM),
    EngineKind.OVERLAY2: Recipe("server", BOOKWORM),
    EngineKind.CONTAINERD: Recipe(
        "server",
        TRIXIE,
        {"PACKAGES": "docker.io docker-cli", "DAEMON": '{"features": {"containerd-snapshotter": true}}'},
    ),
}


def ensure_image(client: DockerClient, engine: EngineKind | None) -> str:
    """Give the image's reference; build it if what it is made of was never built here. None is for a bare sandbox."""
    from docker.errors import ImageNotFound

    context = {name: files("deploy_plugin.sandbox").joinpath(name).read_bytes() for name in CONTEXT}
    recipe = RECIPES[engine]
    with locked(root() / ".image-lock"):
        tag = f"{REPOSITORY}:{_digest(context, recipe, _base(client, recipe.base))}-{engine or 'bare'}"
        try:
            client.images.get(tag)
        except ImageNotFound:
            _build(client, context, recipe, tag)
        return tag


def _base(client: DockerClient, base: str) -> str:
    from docker.errors import APIError, ImageNotFound

    try:
        return str(client.images.get(base).id)
    except ImageNotFound:
        pass
    try:
        return str(client.images.pull(base).id)
    except APIError as error:
        raise StepFailed(
            f"The sandbox starts from {base}, which is not on this machine and could not be pulled.",
            got=str(error.explanation or error),
            hint=f"Let Docker reach a registry, or make a stand-in from Debian's packages: scripts/base-image {base}",
        ) from error


def _build(client: DockerClient, context: dict[str, bytes], recipe: Recipe, tag: str) -> None:
    from docker.errors import APIError, BuildError

    try:
        client.images.build(
            fileobj=io.BytesIO(_tar(context)),
            custom_context=True,
            target=recipe.target,
            buildargs={"BASE": recipe.base, **recipe.arguments},
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


def _digest(context: dict[str, bytes], recipe: Recipe, base: str) -> str:
    content = hashlib.sha256(f"{base} {sorted(recipe.arguments.items())}".encode())
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
