from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"


def run(script: str, *arguments: str, **environment: str) -> tuple[int, str]:
    argv = [sys.executable, str(SCRIPTS / script), *arguments]
    env = {**os.environ, **environment}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=env, stdin=subprocess.DEVNULL)
    return done.returncode, done.stderr


def test_without_apt_one_sentence_lists_what_to_install_and_why(tmp_path: Path) -> None:
    code, said = run("bootstrap", PATH=str(tmp_path), DOCKER_HOST="", DOCKER_CONTEXT="", DOCKER_CONFIG=str(tmp_path))
    assert code == 1
    assert said.startswith("bootstrap: There is no apt here. Install these (Debian's names), then run this again:\n")
    assert "  docker.io: no Docker engine answers, and none is configured\n" in said
    assert "  chromium, chromium-driver: the functional tests drive a real browser\n" in said
    assert "  openssh-client: servers are reached by ssh" in said


def test_a_configured_engine_that_does_not_answer_is_not_replaced_by_another() -> None:
    code, said = run("bootstrap", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert code == 1
    assert said == (
        "bootstrap: The Docker engine of DOCKER_HOST=unix:///nowhere/docker.sock does not let us in. "
        "Start it, or choose another one.\n"
    )


def test_a_docker_context_counts_as_configured(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"currentContext": "colima"}')
    code, said = run("bootstrap", DOCKER_CONFIG=str(tmp_path), DOCKER_HOST="", DOCKER_CONTEXT="")
    assert code == 1
    assert said.startswith("bootstrap: The Docker engine of the Docker context 'colima' does not let us in.")


def test_without_an_engine_no_base_image_is_made() -> None:
    code, said = run("base-image", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert code == 1
    assert said.startswith("base-image: no Docker engine answers (Cannot connect to the Docker daemon")


def test_a_base_image_that_nobody_can_make_is_told_those_that_there_are() -> None:
    code, said = run("base-image", "debian:trixie")
    assert code == 1
    assert said == (
        "base-image: debian:trixie is none of "
        "debian:bookworm-slim, python:3.11-slim-bookworm, caddy:2.11, debian:trixie-slim.\n"
    )


def test_no_file_names_a_package_index() -> None:
    for script in SCRIPTS.iterdir():
        text = script.read_text(encoding="utf-8")
        for harmless in (r'"://[^/\s]*@"', "http://www.w3.org/2000/svg"):
            text = text.replace(harmless, "")
        assert "://" not in text, script.name
