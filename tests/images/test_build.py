from __future__ import annotations

import os
import shlex
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy_plugin.errors import ConfigError, StepFailed
from deploy_plugin.images import build
from deploy_plugin.images.build import context_digest
from deploy_plugin.server import local

PLATFORM = "linux/amd64"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    (folder / "src").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "src" / "app.py").write_text("one\n")
    (folder / "link").symlink_to("src/app.py")
    return folder


@pytest.mark.parametrize(
    "change",
    [
        lambda context: (context / "src" / "app.py").write_text("two\n"),
        lambda context: (context / "src" / "app.py").rename(context / "src" / "other.py"),
        lambda context: (context / "src" / "app.py").rename(context / "app.py"),
        lambda context: (context / "src" / "app.py").chmod(0o755),
        lambda context: (context / "src" / "new.py").write_text(""),
        lambda context: (context / "Dockerfile").write_text("FROM scratch\nEXPOSE 80\n"),
        lambda context: ((context / "link").unlink(), (context / "link").symlink_to("src/other.py")),
        lambda context: ((context / "link").unlink(), (context / "link").write_text("one\n")),
    ],
    ids=["content", "name", "place", "executable", "new", "dockerfile", "link", "no link"],
)
def test_the_digest_changes_with_what_the_image_would_hold(context: Path, change: Callable[[Path], object]) -> None:
    before = context_digest(context, PLATFORM)
    change(context)
    assert context_digest(context, PLATFORM) != before


def test_the_digest_changes_with_the_platform(context: Path) -> None:
    assert context_digest(context, "linux/arm64") != context_digest(context, PLATFORM)


def test_times_and_the_folders_own_place_do_not_matter(context: Path, tmp_path: Path) -> None:
    before = context_digest(context, PLATFORM)
    os.utime(context / "src" / "app.py", (1, 1))
    (context / "src" / "app.py").chmod(0o640)
    assert context_digest(context.rename(tmp_path / "elsewhere"), PLATFORM) == before


def test_what_dockerignore_leaves_out_does_not_matter(context: Path) -> None:
    (context / ".dockerignore").write_text("# noise\n*.log\n\nsrc/cache\n!keep.log\n")
    before = context_digest(context, PLATFORM)
    (context / "debug.log").write_text("x")
    (context / "src" / "cache").mkdir()
    (context / "src" / "cache" / "x").write_text("x")
    assert context_digest(context, PLATFORM) == before
    (context / "keep.log").write_text("x")
    assert context_digest(context, PLATFORM) != before


def test_two_files_can_not_be_taken_for_one(context: Path) -> None:
    before = context_digest(context, PLATFORM)
    (context / "src" / "app.py").write_text("")
    (context / "src" / "app.py2").write_text("one\n")
    assert context_digest(context, PLATFORM) != before


def test_a_missing_dockerfile_is_said_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no Dockerfile in") as caught:
        context_digest(tmp_path, PLATFORM)
    assert str(tmp_path) in str(caught.value)
    assert "context" in caught.value.hint


BUILDX = '[ "$1" != buildx ] || { echo "Platforms: linux/amd64, linux/arm64"; exit; }'


def docker(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Put a ``docker`` first on PATH that writes down how it was called to build."""
    command = folder / "docker"
    command.write_text(f'#!/bin/sh\n{BUILDX}\necho "$@" > {folder}/called\n{script}\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    monkeypatch.setattr(build, "platform_here", lambda: PLATFORM)
    return folder / "called"


def test_a_build_is_tagged_and_names_another_platform_only(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = docker(tmp_path, monkeypatch, "exit 0")
    build.build("superlists:1", context, PLATFORM)
    assert called.read_text() == f"build --force-rm --tag superlists:1 {context}\n"
    monkeypatch.setattr(build, "_require_platform", lambda *_: None)
    build.build("superlists:1", context, "linux/arm64")
    assert called.read_text() == f"build --force-rm --tag superlists:1 --platform linux/arm64 {context}\n"


def test_a_build_that_fails_shows_the_end_of_its_output(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, monkeypatch, "seq 100; echo 'pip: no such package' >&2; exit 1")
    with pytest.raises(StepFailed, match="does not build") as caught:
        build.build("superlists:1", context, PLATFORM)
    assert caught.value.got.endswith("pip: no such package")
    assert "\n50\n" not in caught.value.got
    assert str(context) in caught.value.hint


PULL = 'Get "https://registry.example.com/v2/": dial tcp: lookup registry.example.com: no such host'
UNMATCHED = "image with reference python:3 was found but does not match the specified platform"


@pytest.mark.parametrize(
    ("said", "platform", "hint"),
    [
        (PULL, PLATFORM, "could not be pulled"),
        ("ERROR: failed to solve: failed to resolve source metadata for x", PLATFORM, "could not be pulled"),
        (UNMATCHED, "linux/arm64", "The server is linux/arm64, this machine linux/amd64"),
        ("exec /bin/sh: exec format error", "linux/arm64", "an emulator"),
        ("\033[91mKeyError: 'API_KEY'\033[0m", PLATFORM, "give API_KEY a value in the Dockerfile"),
        ("no space left on device", PLATFORM, "This machine's disk is full"),
    ],
)
def test_a_build_that_fails_for_a_known_reason_says_what_to_do(  # noqa: PLR0913, PLR0917 - three fixtures and three values
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, platform: str, hint: str
) -> None:
    notice = "DEPRECATED: The legacy builder is deprecated"
    docker(tmp_path, monkeypatch, f"echo '{notice}' >&2; printf '%s\\n' {shlex.quote(said)} >&2; exit 1")
    with pytest.raises(StepFailed) as caught:
        build.build("superlists:1", context, platform)
    assert caught.value.got == said.replace("\033[91m", "").replace("\033[0m", "")
    assert hint in caught.value.hint


@dataclass
class Images:
    """Those of an engine that made an image for another platform than it was asked for."""

    attrs: Mapping[str, str]
    removed: list[str] = field(default_factory=list)

    @property
    def images(self) -> Images:
        return self

    def get(self, _reference: str) -> Images:
        return self

    def remove(self, reference: str, *, force: bool) -> None:
        assert force
        self.removed.append(reference)

    def close(self) -> None:
        """Nothing was opened."""


def test_a_dockerfile_that_insists_on_a_platform_does_not_pass_for_another(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, monkeypatch, "exit 0")
    images = Images({"Os": "linux", "Architecture": "amd64"})
    monkeypatch.setattr(local, "local_client", lambda: images)
    with pytest.raises(StepFailed, match=r"for linux/arm64, and this machine's Docker made one for linux/amd64") as no:
        build.build("superlists:1", context, "linux/arm64")
    assert "take --platform out" in no.value.hint
    assert images.removed == ["superlists:1"]


def test_a_build_that_is_stopped_leaves_no_process(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker(tmp_path, monkeypatch, f"sleep 60 & echo $! > {tmp_path}/half; mv {tmp_path}/half {tmp_path}/child; wait")
    running = build.Build("superlists:1", context, PLATFORM)
    child = tmp_path / "child"
    while not child.exists():
        time.sleep(0.01)
    running.stop()
    program, deadline = Path(f"/proc/{child.read_text().strip()}/exe"), time.monotonic() + 10
    while program.exists() and time.monotonic() < deadline:  # it was told to end as well, and takes its time
        time.sleep(0.01)
    assert not program.exists()


def test_a_build_that_does_not_want_to_end_is_ended(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_PATIENCE", 0.05)
    docker(tmp_path, monkeypatch, f"trap '' TERM; : > {tmp_path}/trapped; while :; do sleep 0.05; done")
    running = build.Build("superlists:1", context, PLATFORM)
    while not (tmp_path / "trapped").exists():
        time.sleep(0.01)
    running.stop()
    assert running._process.returncode == -signal.SIGKILL  # noqa: SLF001 - how it ended
