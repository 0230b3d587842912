"""How a container of ours is made through Docker's SDK, and how its end is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from deploy_plugin.errors import StepFailed
from deploy_plugin.secret import Secret
from deploy_plugin.server.engine import ContainerSpec

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container as SdkContainer

# Every container of ours runs with this: what it can't do, nobody who breaks into the app can.
HARDENING: Mapping[str, Any] = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "tmpfs": {"/tmp": "mode=1777", "/home/app": "mode=1777"},  # noqa: S108 - in the container
    "log_config": {"type": "local", "config": {"max-size": "10m", "max-file": "3"}},
}
HOME = "/home/app"
COMES_BACK = {"Name": "unless-stopped"}
_LAST_LINES = 25


def create(client: DockerClient, spec: ContainerSpec, *, port: int | None) -> SdkContainer:
    """Make it, hardened, and start nothing; ``port`` is where it listens."""
    optional: dict[str, Any] = {}
    if spec.publish and port:
        optional["ports"] = {f"{port}/tcp": spec.publish}
    if spec.stays:
        optional["restart_policy"] = COMES_BACK
    if spec.network:
        optional["network"] = spec.network
    if spec.capabilities:
        optional["cap_add"] = list(spec.capabilities)
    binds = dict.fromkeys(spec.mounts.items(), "rw") | dict.fromkeys(spec.reads.items(), "ro")
    return client.containers.create(
        spec.image,
        list(spec.command) if spec.command else None,
        name=spec.name,
        user=spec.user,
        environment={"HOME": HOME, **{key: _revealed(value) for key, value in spec.env.items()}},
        labels=dict(spec.labels),
        volumes={str(here): {"bind": str(there), "mode": mode} for (here, there), mode in binds.items()},
        **optional,
        **HARDENING,
    )


def ended(container: SdkContainer, name: str, limit: float | None) -> int:
    """Wait for the exit code. Docker says nothing until then, so silence is what tells that it takes too long."""
    from requests.exceptions import ConnectionError as SdkConnectionError
    from requests.exceptions import ReadTimeout

    try:
        return int(container.wait(timeout=limit)["StatusCode"])
    except (ReadTimeout, SdkConnectionError) as error:
        if "timed out" not in str(error).lower():
            raise
        log = container.logs(tail=_LAST_LINES).decode(errors="replace")
        raise StepFailed(f"{name} did not end within {limit:.0f} s, and was stopped.", got=log) from error


def _revealed(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
