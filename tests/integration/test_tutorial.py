"""The tutorial's files are written, its commands run, and what they print is held against what it says."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy_plugin import sandbox
from tests.integration.projects import CHECKOUT

TUTORIAL = CHECKOUT / "docs" / "tutorial.md"
SANDBOX = "tutorial"
FILE = re.compile(r"^\*\*`(?P<path>[^`]+)`\*\*\n\n```\w*\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GAP = "…"
IMAGE = re.compile(r"\bguestbook:[0-9a-f]{12}\b")
# What is another one in every run.
VARYING = {
    r"[\d.]+ MB at [\d.]+ MB/s, ": "",
    r"\b[\d.]+ [MG]B\b": "SIZE",
    r"127\.0\.0\.\d+(:\d+)?": "ADDRESS",
    r"\b\d{8}-\d{6}-[0-9a-f]{7}\b": "RELEASE",
    IMAGE.pattern: "IMAGE",
    r"\b\d+(\.\d+)?s\b": "SECONDS",
    r"={2,}": "==",
    r" +\[": " [",
}


@dataclass(frozen=True)
class Command:
    line: str
    prints: str


@pytest.fixture
def name() -> Iterator[str]:
    """Take a name for the sandbox that nobody has; what is there under it afterwards is removed."""
    name = f"test-{secrets.token_hex(3)}"
    yield name
    if box := sandbox.find(name):
        sandbox.remove(box)


@pytest.fixture
def built() -> Iterator[set[str]]:
    """Collect the images that were built; they are removed, or the next run would find them, and build nothing."""
    images: set[str] = set()
    yield images
    subprocess.run(["docker", "image", "rm", "--force", *images], check=bool(images), capture_output=True)


def test_the_tutorial_does_what_it_says(tmp_path: Path, name: str, built: set[str]) -> None:
    text = TUTORIAL.read_text(encoding="utf-8").replace(f"sandbox:{SANDBOX}", f"sandbox:{name}")
    folder = tmp_path / "guestbook"
    (tmp_path / "pytest-deploy").symlink_to(CHECKOUT)
    for path, content in files(text):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")

    exit_code = 0
    for command in commands(text):
        assert exit_code == 0 or command.line == "echo $?", "a command that fails is followed by its exit code"
        line = re.sub(rf"\b{SANDBOX}$", name, command.line)
        done = subprocess.run(
            ["bash", "-c", f"(exit {exit_code}); {line}"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        exit_code = done.returncode
        built.update(IMAGE.findall(done.stdout))
        wanted = re.sub(rf"\b{SANDBOX} (?=does not run|is gone)", f"{name} ", command.prints)
        assert as_said(wanted, done.stdout), f"$ {line}\n{done.stdout}\n--- the tutorial says:\n{wanted}"
    assert exit_code == 0


@pytest.mark.parametrize(
    ("said", "printed", "holds"),
    [
        ("a (1.0s)\n", "a (25.3s)\n", True),
        ("a\nc\n", "a\nb\nc\n", False),
        ("a\n…\nc\n", "a\nb\nc\n", True),
        ("a\n…\n", "a\n", True),
        ("", "", True),
        ("a\n", "", False),
        ("", "a\n", False),
        ("=== b ===\n", "========= b =========\n", True),
        ("ok=2\n", "ok=3\n", False),
    ],
)
def test_what_is_said_is_compared_with_what_is_printed(said: str, printed: str, holds: bool) -> None:  # noqa: FBT001
    assert as_said(said, printed) is holds


def files(text: str) -> list[tuple[str, str]]:
    return [(found["path"], found["text"]) for found in FILE.finditer(text)]


def commands(text: str) -> list[Command]:
    """Give every command of every console block, with what is printed below it."""
    found = []
    for block in CONSOLE.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, prints = part.partition("\n")
            found.append(Command(line, prints))
    return found


def as_said(said: str, printed: str) -> bool:
    """Whether the lines are the same, but for what varies; ``…`` stands for any lines, or none."""
    lines = (r"(?:.*\n)*?" if line == GAP else re.escape(line) + r"\n" for line in plain(said))
    return re.fullmatch("".join(lines), "".join(f"{line}\n" for line in plain(printed))) is not None


def plain(text: str) -> list[str]:
    for pattern, word in VARYING.items():
        text = re.sub(pattern, word, text)
    return [line.rstrip() for line in text.splitlines()]


def environment() -> dict[str, str]:
    """Give the environment of this machine, without what pytest has put there, and with this Python first."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "DJANGO_", "COV_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    # What pip warns of is this machine's.
    quiet = {"PIP_QUIET": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1", "COLUMNS": "80"}
    return {**kept, "PATH": path, **quiet}
