"""The sandbox's container on this machine's engine: started, looked at, removed."""

from __future__ import annotations

import io
import subprocess
import tarfile
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from deploy_plugin.errors import DeployError, StepFailed
from deploy_plugin.sandbox.image import ensure_image
from deploy_plugin.sandbox.inventory import FOLDER_LABEL, container_name, existing, sweep
from deploy_plugin.sandbox.state import Sandbox, locked, read
from deploy_plugin.server.local import engine_address, engine_words, is_remote, local_client

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

BOOT_SECONDS = 60
PORT_SECONDS = 5
LABEL = "pytest-deploy.sandbox"
PORT_TAKEN = ("port is already allocated", "address already in use", "ports are not available")
DEPLOY_UID = 1000


def boot(sandbox: Sandbox) -> bool:
    """See to it that it runs and answers; say whether anything had to be started."""
    _refuse_remote()
    sweep()
    with (
        locked(sandbox.folder / "lock"),
        closing(local_client()) as client,
        engine_words(f"start the sandbox {sandbox.name!r}"),
    ):
        container = existing(client, sandbox) or _create(client, sandbox)
        started = container.status != "running"
        if started:
            _start(container, sandbox)
        _wait_until_it_answers(container, sandbox)
    return started


def _refuse_remote() -> None:
    address, origin = engine_address()
    if is_remote(address):
        raise StepFailed(
            f"A sandbox needs a Docker engine on this machine; {address} ({origin}) is on another one.",
            hint="That machine can be a target itself: pytest --deploy-to=[user@]host",
        )


def _create(client: DockerClient, sandbox: Sandbox) -> Container:
    image = ensure_image(client, sandbox.engine)
    (sandbox.folder / "booted").touch()
    host_config: dict[str, Any] = client.api.create_host_config(
        port_bindings=_ports(sandbox),
        # What Docker inside Docker needs; --privileged asks for more: it fails where SYS_RESOURCE is missing.
        cap_add=["ALL"],
        cap_drop=["SYS_RESOURCE"],
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        device_cgroup_rules=["a *:* rwm"],
        tmpfs={"/run": "mode=0755"},
        binds=_cgroup_binds(client),
    )
    # What the command line calls --security-opt systempaths=unconfined.
    host_config |= {"MaskedPaths": [], "ReadonlyPaths": []}
    created = client.api.create_container(
        image,
        name=container_name(sandbox),
        hostname=sandbox.alias,
        labels={LABEL: sandbox.name, FOLDER_LABEL: str(sandbox.folder)},
        ports=[22, 80],
        host_config=host_config,
    )
    container: Container = client.containers.get(created["Id"])
    return container


def _ports(sandbox: Sandbox) -> dict[int | str, tuple[str, int]]:
    record = read(sandbox.name)
    if record is None:
        raise StepFailed(
            f"The sandbox {sandbox.name!r} was removed meanwhile.",
            hint="Make it again: pytest-deploy sandbox up",
        )
    return {22: (record.address, record.ssh_port), 80: (record.address, record.http_port)}


def _cgroup_binds(client: DockerClient) -> list[str]:
    """Version 1 of control groups has no namespace that Docker inside could use; version 2 has its own."""
    info: dict[str, Any] = client.info()
    return [] if info.get("CgroupVersion") == "2" else ["/sys/fs/cgroup:/sys/fs/cgroup"]


def _keys(sandbox: Sandbox) -> bytes:
    """Pack the host key, readable by root alone, and who may log in."""
    members = (
        ("etc/ssh/ssh_host_ed25519_key", "host_key", 0),
        ("etc/ssh/ssh_host_ed25519_key.pub", "host_key.pub", 0),
        ("home/deploy/.ssh/authorized_keys", "client_key.pub", DEPLOY_UID),
    )
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, file, uid in members:
            data = (sandbox.folder / file).read_bytes()
            member = tarfile.TarInfo(path)
            member.size, member.mode, member.uid, member.gid = len(data), 0o600, uid, uid
            tar.addfile(member, io.BytesIO(data))
    return archive.getvalue()


def _start(container: Container, sandbox: Sandbox) -> None:
    from docker.errors import APIError

    # Not where it was created: a process may have died in between.
    if container.status == "created":
        container.put_archive("/", _keys(sandbox))
    deadline = time.monotonic() + PORT_SECONDS
    while True:
        try:
            container.start()
        except APIError as error:
            reason = str(error.explanation or error)
            if not any(words in reason.lower() for words in PORT_TAKEN):
                raise StepFailed(f"The sandbox {sandbox.name!r} could not be started.", got=reason) from error
            # Docker frees the ports of a container that was removed a moment ago only after a while.
            if time.monotonic() > deadline:
                raise StepFailed(
                    f"Something else on this machine listens where the sandbox {sandbox.name!r} was to be.",
                    got=reason,
                    hint=f"For another address: pytest-deploy sandbox down {sandbox.name}, then up again.",
                ) from error
            time.sleep(0.5)
        else:
            return


def _wait_until_it_answers(container: Container, sandbox: Sandbox) -> None:
    """Log in as anybody would, over ssh with its key, and ask Docker there where it has one."""
    question = "true" if sandbox.bare else "docker version --format '{{.Server.Version}}'"
    deadline = time.monotonic() + BOOT_SECONDS
    while True:
        answer = _ssh(sandbox, question)
        if answer.returncode == 0:
            return
        container.reload()
        if container.status != "running" or time.monotonic() > deadline:
            log = container.logs(tail=30).decode(errors="replace")
            what = f"did not answer within {BOOT_SECONDS} s" if container.status == "running" else "ended on its start"
            raise StepFailed(
                f"The sandbox {sandbox.name!r} {what}.",
                got=f"{log}\n{answer.stderr}",
                hint=f"Look at its container: docker logs {container.name}",
            )
        time.sleep(0.1)


def _ssh(sandbox: Sandbox, command: str) -> subprocess.CompletedProcess[str]:
    argv = [
        "ssh",
        "-F",
        str(sandbox.ssh_config),
        "-o",
        "BatchMode=yes",
        "-o",
        "ConnectTimeout=5",
        sandbox.alias,
        command,
    ]
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=30)
    except FileNotFoundError as error:
        raise DeployError("There is no ssh on this machine.", hint="Install OpenSSH's client.") from error
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, 255, "", "ssh gave no answer within 30 s")
