"""The build that is begun before anybody knows whether it will be needed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.images.build import context_digest, reference_of
from deploy_plugin.images.early import EarlyBuild
from deploy_plugin.models import App
from tests.machine import PLATFORM, Machine


def reference(app: App, platform: str = PLATFORM) -> str:
    return reference_of(app.name, context_digest(app.context, platform))


def test_it_builds_what_the_files_make_now_for_this_machines_platform(app: App, machine: Machine) -> None:
    with EarlyBuild(app) as early:
        assert early.makes(reference(app))
        assert machine.built == []
        early.wait()
        assert not early.makes(reference(app))
    assert machine.built == [(reference(app), app.context, PLATFORM)]


def test_it_builds_for_the_apps_platform_where_there_is_one(app: App, machine: Machine) -> None:
    app = replace(app, platform="linux/arm64")
    with EarlyBuild(app) as early:
        assert early.makes(reference(app, "linux/arm64"))
    assert [running.platform for running in machine.begun] == ["linux/arm64"]


def test_what_is_here_already_is_not_built(app: App, machine: Machine) -> None:
    machine.engine.add_image(reference(app))
    with EarlyBuild(app) as early:
        assert not early.makes(reference(app))
    assert machine.begun == []


def test_what_nobody_asks_for_is_stopped(app: App, machine: Machine) -> None:
    with EarlyBuild(app) as early:
        assert not early.makes("superlists:other")
    assert [running.is_stopped for running in machine.begun] == [True]
    assert machine.built == []


@pytest.fixture
def built(app: App, machine: Machine) -> Iterator[EarlyBuild]:
    """One that somebody waited for, and whose topmost layer is built once more."""
    machine.says = "sha256:top"
    (app.context / "Dockerfile").write_text("FROM scratch\nCOPY . /app/\n")
    with EarlyBuild(app) as early:
        assert early.makes(reference(app))
        early.wait()
        assert early.take_top() is None
        early.begin_top(reference(app))
        yield early


def test_what_is_built_has_its_topmost_layer_built_once_more_for_whoever_ships_it(
    machine: Machine, built: EarlyBuild
) -> None:
    top = built.take_top()
    assert top
    assert top.result() == "sha256:top"
    assert built.take_top() is None
    assert [asked[:2] for asked in machine.asked] == [("build", "--quiet")]


def test_a_topmost_layer_that_nobody_takes_is_removed(machine: Machine, built: EarlyBuild) -> None:
    built.stop()
    assert machine.asked[-1] == ("image", "rm", "sha256:top")


def test_it_fails_only_for_whoever_waits(app: App, machine: Machine) -> None:
    machine.fails = StepFailed("The image does not build.")
    with EarlyBuild(app) as early:
        assert early.makes(reference(app))


def test_one_that_can_not_begin_makes_nothing_and_says_nothing(app: App, machine: Machine) -> None:
    (app.context / "Dockerfile").unlink()
    with EarlyBuild(app) as early:
        assert not early.makes("superlists:any")
    assert machine.begun == []


def test_one_that_was_stopped_begins_nothing(app: App, machine: Machine) -> None:
    early = EarlyBuild(app)
    early.stop()
    early.makes("superlists:any")
    assert all(running.is_stopped for running in machine.begun)


IMPORTS = """
import threading, time
from deploy_plugin.images.build import context_digest
from deploy_plugin.server import local

thread = threading.Thread(target=__import__, args=("docker",))
thread.start()
time.sleep({pause})
{asks}
thread.join()
import docker
docker.DockerClient, docker.context.ContextAPI
"""


def test_docker_is_imported_whole_whoever_needs_it_meanwhile(app: App) -> None:
    asks = (
        "local.engine_address()",
        f"context_digest(__import__('pathlib').Path({str(app.context)!r}), 'linux/amd64')",
    )
    for ask in asks:
        for pause in (0, 0.02):
            code = IMPORTS.format(pause=pause, asks=ask)
            done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
            assert (done.returncode, done.stderr) == (0, "")
