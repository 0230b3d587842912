"""The images of the benchmarked site on the engine here: built before the clock, forgotten between stories, removed."""

from __future__ import annotations

from benchmarks.clock import said
from benchmarks.project import APP, LABEL, Project

# A name of its own: an export by name alone takes along whatever else has that name.
WARM = f"{APP}-warm"


def warm(project: Project) -> None:
    """Fill the build cache with all that a first build would make."""
    said("docker", "build", "--quiet", "--tag", WARM, str(project.folder))


def forget() -> None:
    """Take away every name but the warm one: whoever wants an image must ask for a build, which the cache answers."""
    if names := _names(APP):
        said("docker", "rmi", *names)


def remove() -> None:
    """Leave nothing of what was built."""
    if names := [*_names(APP), *_names(WARM)]:
        said("docker", "rmi", *names)
    said("docker", "image", "prune", "--force", "--filter", f"label={LABEL}")


def largest() -> int:
    """Give the bytes of the largest one."""
    return max(map(int, said("docker", "image", "inspect", "--format", "{{.Size}}", *_names(APP)).split()))


def _names(repository: str) -> list[str]:
    return said("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", repository).splitlines()
