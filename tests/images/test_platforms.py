"""Whether an image for another processor can be built here, told before anything is built."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.images.platforms import require_buildable

HERE = "linux/amd64"
RUNS = "FROM python:3\nRUN pip install django\n"
ONLY_COPIES = "# RUN nothing\nFROM python:3\nCOPY . /app\n"
PINNED = "FROM --platform=$BUILDPLATFORM python:3 AS code\nRUN make\nFROM python:3\nCOPY --from=code /app /app\n"
PINNED_AND_RUNS = f"{PINNED}RUN touch /app/there\n"


@pytest.fixture
def buildx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ``docker`` first on PATH whose BuildKit builds for what is written here; without it there is none."""
    monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
    says = tmp_path / "says"
    (tmp_path / "docker").write_text(f'#!/bin/sh\n[ "$*" = "buildx inspect" ] && exec cat {says}\nexit 1\n')
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return says


@pytest.mark.parametrize("platform", [HERE, "linux/amd64/v2"])
def test_this_machines_own_kind_needs_nothing(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    require_buildable(platform, HERE, RUNS)


def test_the_classic_builder_builds_for_no_other(buildx: Path) -> None:
    with pytest.raises(
        StepFailed, match=r"for linux/arm64, and this machine's Docker builds for linux/amd64 only"
    ) as no:
        require_buildable("linux/arm64", HERE, ONLY_COPIES)
    assert "BuildKit (docker-buildx) and an emulator" in no.value.hint
    assert not buildx.exists()


@pytest.mark.parametrize(
    "said",
    [
        "Name: default\nPlatforms: linux/amd64*, linux/arm64, linux/386\n",
        "Platforms: linux/amd64\n\nPlatforms: linux/arm64/v8\n",
    ],
)
def test_buildkit_with_an_emulator_or_another_node_builds_anything(buildx: Path, said: str) -> None:
    buildx.write_text(said)
    require_buildable("linux/arm64", HERE, RUNS)


@pytest.mark.parametrize("dockerfile", [ONLY_COPIES, PINNED])
def test_buildkit_alone_builds_what_runs_no_command_there(buildx: Path, dockerfile: str) -> None:
    buildx.write_text("Platforms: linux/amd64, linux/amd64/v2\n")
    require_buildable("linux/arm64", HERE, dockerfile)


@pytest.mark.parametrize("dockerfile", [RUNS, PINNED_AND_RUNS])
def test_buildkit_alone_can_not_run_commands_of_another_processor(buildx: Path, dockerfile: str) -> None:
    buildx.write_text("Platforms: linux/amd64, linux/amd64/v2\n")
    with pytest.raises(StepFailed, match=r"for linux/arm64, and this machine, which is linux/amd64, can't run"):
        require_buildable("linux/arm64", HERE, dockerfile)


def test_buildkit_that_is_switched_off_is_none(buildx: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buildx.write_text("Platforms: linux/amd64, linux/arm64\n")
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    with pytest.raises(StepFailed, match="only"):
        require_buildable("linux/arm64", HERE, RUNS)
