"""The peers' own virtual environment: the project's must not hold them."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from benchmarks.clock import said
from benchmarks.project import CHECKOUT

PINNED = CHECKOUT / "requirements" / "bench.txt"
FOLDER = CHECKOUT / ".venv-bench"


def ensure() -> Path:
    """Make it if it is missing or out of date; give its folder of programs."""
    stamp, content = FOLDER / "bench.stamp", hashlib.sha256(f"{FOLDER}".encode() + PINNED.read_bytes()).hexdigest()
    programs = FOLDER / "bin"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != content:
        sys.stderr.write(f"Making {FOLDER.name} from requirements/{PINNED.name}: about a minute.\n")
        said(sys.executable, "-m", "venv", "--clear", str(FOLDER))
        pip = (str(programs / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")
        said(*pip, "install", "--require-hashes", "-r", str(PINNED))
        stamp.write_text(content, encoding="utf-8")
    return programs
