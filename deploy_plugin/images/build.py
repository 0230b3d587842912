"""Build an image on this machine, under a name that its content decides."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy_plugin.errors import ConfigError, StepFailed
from deploy_plugin.server import local

DOCKERFILE = "Dockerfile"
_LINES_OF_A_FAILED_BUILD = 25


def require_dockerfile(context: Path) -> None:
    """Refuse a build context that is none, before anything is contacted."""
    if not (context / DOCKERFILE).is_file():
        raise ConfigError(
            f"There is no {DOCKERFILE} in {context}.",
            hint="Write one, or set context in the [app] table of deploy.toml.",
        )


def context_digest(context: Path, platform: str) -> str:
    """Digest what a build depends on: every file that Docker would be sent, its place and whether it can be executed.

    The same tree gives the same digest on every machine; times and owners don't matter.
    """
    digest = hashlib.sha256(platform.encode())
    for name in sorted(_sent(context)):
        path = context / name
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            digest.update(f"\0link {name}\0{os.readlink(path)}".encode())  # noqa: PTH115 - as text, unresolved
        elif stat.S_ISREG(status.st_mode):
            executable = bool(status.st_mode & stat.S_IXUSR)
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"\0file {name}\0{executable}\0{content}".encode())
    return digest.hexdigest()


def build(reference: str, context: Path, platform: str) -> None:
    """Build with the docker command: BuildKit where it is installed, which the SDK can't use."""
    elsewhere = ["--platform", platform] if platform != _platform_here() else []
    done = subprocess.run(
        [local.docker_command(), "build", "--tag", reference, *elsewhere, str(context)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).splitlines()
        raise StepFailed(
            f"The image does not build from {context / DOCKERFILE}.",
            got="\n".join(said[-_LINES_OF_A_FAILED_BUILD:]),
            hint=f"Try it alone: docker build {context}",
        )


def _platform_here() -> str:
    client = local.local_client()
    try:
        return f"linux/{client.version()['Arch']}"
    finally:
        client.close()


def _sent(context: Path) -> Iterator[str]:
    from docker.utils import exclude_paths

    require_dockerfile(context)
    ignore = context / ".dockerignore"
    patterns = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    wanted = [line.strip() for line in patterns if line.strip() and not line.startswith("#")]
    yield from exclude_paths(str(context), wanted, dockerfile=DOCKERFILE)
