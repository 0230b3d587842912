"""Images that somebody else made, on this machine."""

from __future__ import annotations

import subprocess
from contextlib import closing

from deploy_plugin.errors import StepFailed
from deploy_plugin.server import local


def ensure_here(reference: str, platform: str) -> None:
    """Pull the image for the server's platform, unless this machine's Docker has it."""
    if _platform_of(reference) == platform:
        return
    pull = [local.docker_command(), "pull", "--quiet", "--platform", platform, reference]
    done = subprocess.run(pull, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(
            f"{reference} for {platform} is not on this machine, and could not be pulled.",
            got=done.stderr,
            hint="Let Docker here reach a registry, or load the image by hand: docker load.",
        )


def _platform_of(reference: str) -> str | None:
    from docker.errors import ImageNotFound

    with closing(local.local_client()) as client:
        try:
            found = client.images.get(reference).attrs
        except ImageNotFound:
            return None
    return f"{found['Os']}/{found['Architecture']}"
