"""Whether this machine's Docker can build for another processor than its own, found out without building."""

from __future__ import annotations

import os
import re
import subprocess

from deploy_plugin.errors import StepFailed
from deploy_plugin.server import local

EMULATE = "To build for another processor Docker needs BuildKit (docker-buildx) and an emulator (qemu-user-static)."
_PLATFORMS = re.compile(r"^Platforms:(.*)$", re.MULTILINE)


def require_buildable(platform: str, here: str, dockerfile: str) -> None:
    """``StepFailed`` where an image for ``platform`` can't be built by an engine that runs on ``here``."""
    if _is_kind_of(platform, here):
        return
    listed = _platforms_of_buildkit()
    if listed is None:
        raise StepFailed(
            f"The server needs an image for {platform}, and this machine's Docker builds for {here} only.", hint=EMULATE
        )
    if not any(_is_kind_of(platform, one) for one in listed) and _runs_commands_there(dockerfile):
        raise StepFailed(
            f"The server needs an image for {platform}, and this machine, which is {here}, can't run its commands.",
            hint=f"{EMULATE} A stage that begins FROM --platform=$BUILDPLATFORM runs its commands here.",
        )


def _is_kind_of(platform: str, other: str) -> bool:
    """Whether one is the other, or a variant of it: ``linux/arm64/v8`` of ``linux/arm64``."""
    return f"{platform}/".startswith(f"{other}/") or f"{other}/".startswith(f"{platform}/")


def _platforms_of_buildkit() -> list[str] | None:
    """Give what BuildKit builds for, emulated or not; None where ``docker build`` does not use it."""
    if os.environ.get("DOCKER_BUILDKIT") == "0":
        return None
    command = [local.docker_command(), "buildx", "inspect"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    return [name.strip(" *") for line in _PLATFORMS.findall(done.stdout) for name in line.split(",")]


def _runs_commands_there(dockerfile: str) -> bool:
    """Whether a stage that is not pinned to a platform has a RUN; one that only copies needs no such processor."""
    is_there = False
    for line in dockerfile.splitlines():
        word = line.split(maxsplit=1)[0].upper() if line.strip() else ""
        if word == "FROM":
            is_there = "--platform=" not in line
        elif word == "RUN" and is_there:
            return True
    return False
