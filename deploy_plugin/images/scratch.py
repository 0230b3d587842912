"""The topmost layers of an image, built once more on top of nothing: quicker than saving all to get at them."""

from __future__ import annotations

import posixpath
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_plugin.images.build import DOCKERFILE, platform_options
from deploy_plugin.server import local

if TYPE_CHECKING:
    from concurrent.futures import Future

_PATIENCE = 10
"""Seconds: what takes longer does not come from the cache of the build a moment ago, and is no quicker way."""
_COPIES = ("COPY", "ADD")
_VALUES = ("ARG", "ENV")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an image was built from, and for."""

    context: Path
    platform: str


@dataclass(frozen=True, slots=True)
class Topmost:
    """Ways to the topmost layers that are quicker than to save all of the image."""

    recipe: Recipe | None = None
    last: Future[str | None] | None = None
    """What was begun already, for the last one alone."""

    def settle(self) -> None:
        """Wait for what was begun: it keeps the processor busy."""
        if self.last:
            wait((self.last,))

    @contextmanager
    def built(self, count: int, workdir: str) -> Iterator[str | None]:
        """Give the id of an image that has only what the last ``count`` instructions put there; None where it can't be.

        It is gone afterwards. Whether its layers are the image's own is to be looked at: what they put there can depend
        on what was below.
        """
        images = [self.last.result() if self.last else None]
        try:
            if not (images[0] and count == 1):
                images.append(build(self.recipe, count, workdir) if self.recipe and count else None)
            yield images[-1]
        finally:
            for image in filter(None, images):
                remove(image)


def build(recipe: Recipe, count: int, workdir: str) -> str | None:
    """Build it, and give its id; whoever has it removes it."""
    dockerfile = only_last((recipe.context / DOCKERFILE).read_text(encoding="utf-8"), count, workdir)
    if dockerfile is None:
        return None
    options = ("--quiet", "--force-rm", *platform_options(recipe.platform), "--file", "-")
    return _docker("build", *options, str(recipe.context), stdin=dockerfile) or None


def remove(image: str) -> None:
    _docker("image", "rm", image)


def only_last(dockerfile: str, count: int, workdir: str) -> str | None:
    """Let the final stage begin from nothing, with its last ``count`` COPY and ADD; None where it does more than that.

    ``workdir`` is where the image's commands start: what relative destinations are relative to. All before the final
    stage stays as it is written, to the last blank: Docker would run it again otherwise.
    """
    lines = _instructions(dockerfile)
    starts = [number for number, line in enumerate(lines) if line.word == "FROM"]
    if not starts or "<<" in dockerfile:
        return None
    stage = lines[starts[-1] + 1 :]
    copies = [number for number, line in enumerate(stage) if line.word in _COPIES][-count:]
    if len(copies) < count or any(line.word in ("RUN", "WORKDIR") for line in stage[copies[0] :]):
        return None
    absolute = {number: _absolute(stage[number].joined, workdir) for number in copies}
    if None in absolute.values():
        return None
    # Each instruction costs a layer's time, so those for values stay only where a value is wanted.
    asks = any("$" in str(copy) for copy in absolute.values())
    kept = [
        absolute.get(number, line.raw)
        for number, line in enumerate(stage)
        if number in absolute or (asks and line.word in _VALUES)
    ]
    before = "".join(line.raw for line in lines[: starts[-1]])
    return f"{before}FROM scratch\n{''.join(map(str, kept))}"


@dataclass(frozen=True, slots=True)
class _Instruction:
    word: str
    raw: str
    """As it is written, with comments and blank lines above it, and the end of its last line."""

    @property
    def joined(self) -> str:
        return " ".join(line.rstrip("\\ ") for line in _meaningful(self.raw))


def _instructions(dockerfile: str) -> Sequence[_Instruction]:
    found: list[_Instruction] = []
    raw = ""
    for line in dockerfile.splitlines():
        raw += f"{line}\n"
        if _meaningful(line) and not line.rstrip().endswith("\\"):
            found.append(_Instruction(_meaningful(raw)[0].split()[0].upper(), raw))
            raw = ""
    return found


def _meaningful(text: str) -> Sequence[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _absolute(instruction: str, workdir: str) -> str | None:
    """Give a COPY or ADD whose destination does not depend on WORKDIR."""
    words, _, destination = instruction.rpartition(" ")
    if "[" in instruction or destination.startswith("$"):
        return None
    slash = "/" if destination.endswith(("/", "/.")) or destination == "." else ""
    return f"{words} {posixpath.join('/', workdir, destination).rstrip('/.')}{slash}\n"


def _docker(*arguments: str, stdin: str = "") -> str:
    command = [local.docker_command(), *arguments]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
