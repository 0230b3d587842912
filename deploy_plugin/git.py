"""Which commit a folder is at."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit; ``changed`` where the folder holds something that is not in it."""

    hash: str
    changed: bool = False

    @property
    def short(self) -> str:
        return self.hash[:7]

    def __str__(self) -> str:
        return f"{self.hash}+changes" if self.changed else self.hash


def commit_of(folder: Path) -> Commit | None:
    """Say which commit a folder is at; None where git knows none."""
    head = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        return None
    return Commit(head, changed=bool(_git(folder, "status", "--porcelain", "--", ".")))


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
