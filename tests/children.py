"""A process that a test begins: it ends with the block that needs it, whatever became of the test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def child(
    argv: Sequence[str | Path], *, stderr: int | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Begin it, with a pipe from its stdout; where it goes on at the block's end, it is killed.

    No gentler signal: ssh sees one that comes between its look for signals and its wait for bytes with the next byte.
    """
    with subprocess.Popen(argv, cwd=cwd, stdout=subprocess.PIPE, stderr=stderr, text=True, errors="replace") as process:
        try:
            yield process
        finally:
            process.kill()
