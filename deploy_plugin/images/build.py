"""Build an image on this machine, under a name that its content decides."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

from deploy_plugin.errors import ConfigError, StepFailed
from deploy_plugin.hints import missing_key
from deploy_plugin.images import platforms
from deploy_plugin.images.platforms import EMULATE
from deploy_plugin.server import local
from deploy_plugin.server.docker import DockerEngine

DOCKERFILE = "Dockerfile"
_LINES_OF_A_FAILED_BUILD = 25
_PATIENCE = 5
"""Seconds that a build has to end when it is told to."""
_NOTICE = ("DEPRECATED: The legacy builder", "Install the buildx component", "https://docs.docker.com/go/buildx")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # what a step wrote to stderr comes in red, terminal or not
_NOT_PULLED = (
    "pull access denied",
    "manifest unknown",
    "failed to resolve source metadata",
    "/v2/",  # a registry's address, in what its client says of it
)


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


def reference_of(app: str, digest: str) -> str:
    """Name the image of an app by what it is built from."""
    return f"{app}:{digest[:12]}"


def is_here(reference: str) -> bool:
    with closing(DockerEngine(local.local_client())) as here:
        return here.image(reference) is not None


def build(reference: str, context: Path, platform: str) -> None:
    """Build, and wait for it; ``StepFailed`` with the end of what Docker said where it fails."""
    running = Build(reference, context, platform)
    try:
        running.wait()
    finally:
        running.stop()


class Build:
    """A build that runs, by the docker command: BuildKit where it is installed, which the SDK can't use."""

    def __init__(self, reference: str, context: Path, platform: str) -> None:
        self.reference = reference
        self._context, self._platform = context, platform
        require_buildable(context, platform)
        elsewhere = platform_options(platform)
        command = [local.docker_command(), "build", "--force-rm", "--tag", reference, *elsewhere, str(context)]
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - as long as it runs
        # A group of its own: the command has children (buildx) that must end with it.
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._said, stderr=subprocess.STDOUT, process_group=0
        )

    def wait(self) -> None:
        """Wait until it is done; ``StepFailed`` with the end of what Docker said where it fails."""
        if self._process.wait():
            self._said.seek(0)
            said = self._said.read().decode(errors="replace")
            raise _failed(self._context, said.splitlines(), self._platform)
        if platform_options(self._platform):
            _require_platform(self.reference, self._platform)

    def stop(self) -> None:
        """Let nothing of it run on; what is done stays."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._said.close()


def require_buildable(context: Path, platform: str) -> None:
    """``StepFailed`` where this machine's Docker can't build it for that platform; nothing is built to find out."""
    require_dockerfile(context)
    platforms.require_buildable(platform, platform_here(), (context / DOCKERFILE).read_text(encoding="utf-8"))


def platform_options(platform: str) -> Sequence[str]:
    """Give what ``docker build`` is to be told about the platform: nothing where it is this machine's own."""
    return ["--platform", platform] if platform != platform_here() else []


def platform_here() -> str:
    """Give the platform of this machine's engine, which is asked once."""
    return _platform_of(local.engine_address()[0])


@cache
def _platform_of(address: str) -> str:  # noqa: ARG001 - who answers there
    with closing(local.local_client()) as client:
        return f"linux/{client.version()['Arch']}"


def _failed(context: Path, said: Sequence[str], platform: str) -> StepFailed:
    # The classic builder begins with a notice of its own age, and ends with what matters.
    kept = [_COLOUR.sub("", line) for line in said if line.strip() and not any(words in line for words in _NOTICE)]
    got = "\n".join(kept[-_LINES_OF_A_FAILED_BUILD:])
    hint = _hint(got, f"Try it alone: docker build {context}")
    if platform != (here := platform_here()):
        hint = f"The server is {platform}, this machine {here}. {EMULATE}\n{hint}"
    return StepFailed(f"The image does not build from {context / DOCKERFILE}.", got=got, hint=hint)


def _hint(got: str, otherwise: str) -> str:
    if any(words in got for words in _NOT_PULLED):
        return "The base image is not here and could not be pulled: let Docker reach a registry, or load it by hand."
    if "no space left on device" in got.lower():
        return "This machine's disk is full: docker system df shows what Docker has of it."
    if missing := missing_key(got):
        return (
            f"A build gets nothing from deploy.toml: give {missing} a value in the Dockerfile, one that is no secret."
        )
    return otherwise


def _require_platform(reference: str, platform: str) -> None:
    """A last stage that is pinned to a platform makes an image for that one, whatever is asked for."""
    with closing(local.local_client()) as client:
        attributes = client.images.get(reference).attrs
        built = f"{attributes['Os']}/{attributes['Architecture']}"
        if not f"{platform}/".startswith(f"{built}/"):
            client.images.remove(reference, force=True)  # the next deploy would take it for the right one
            raise StepFailed(
                f"The server needs an image for {platform}, and this machine's Docker made one for {built}.",
                hint="The last FROM of its Dockerfile names a platform: take --platform out of it.",
            )


def _sent(context: Path) -> Iterator[str]:
    import docker  # noqa: F401 - whole, and first: see EarlyBuild
    from docker.utils import exclude_paths

    require_dockerfile(context)
    ignore = context / ".dockerignore"
    patterns = ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else []
    wanted = [line.strip() for line in patterns if line.strip() and not line.startswith("#")]
    yield from exclude_paths(str(context), wanted, dockerfile=DOCKERFILE)
