from __future__ import annotations

from dataclasses import replace

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.secret import Secret
from deploy_plugin.steps.gather_facts import GatherFacts
from deploy_plugin.steps.install_docker import InstallDocker
from deploy_plugin.testing import FakeServer


@pytest.fixture
def bare(server: FakeServer) -> FakeServer:
    """A server without Docker, where elspeth deploys."""
    facts = replace(server.facts, uid=1000, gid=1000, user="elspeth", docker_access=False)
    server.facts = replace(facts, has_docker=False, docker_runs=False)
    return server


def failed(server: FakeServer, password: str | None = None) -> StepFailed:
    with pytest.raises(StepFailed) as caught:
        InstallDocker(ask=lambda _sentence: None if password is None else Secret(password)).apply(server)
    return caught.value


@pytest.mark.parametrize(
    ("has_docker", "docker_runs", "docker_access", "said"),
    [
        (False, False, False, "not installed"),
        (True, False, False, "does not run"),
        (True, True, False, "elspeth is not in the docker group"),
    ],
)
def test_what_is_missing_is_named(
    bare: FakeServer, said: str, *, has_docker: bool, docker_runs: bool, docker_access: bool
) -> None:
    bare.facts = replace(bare.facts, has_docker=has_docker, docker_runs=docker_runs, docker_access=docker_access)
    reason = InstallDocker().check(bare)
    assert reason
    assert said in reason


def test_root_is_asked_for_once_and_then_the_connection_is_renewed(bare: FakeServer) -> None:
    bare.install("sudo", 'for word do :; done; echo "$1 $word" >> "$HOME/asked"')
    bare.reconnected = replace(bare.facts, has_docker=True, docker_runs=True, docker_access=True)
    InstallDocker().apply(bare)
    assert (bare.home / "asked").read_text() == "-n elspeth\n"
    assert bare.journal == ["change asked", "reconnect"]
    assert InstallDocker().check(bare) is None


def test_another_distribution_is_named_with_what_to_do_there(bare: FakeServer) -> None:
    bare.facts = replace(bare.facts, distribution=frozenset({"rocky", "rhel"}))
    error = failed(bare)
    assert "rhel rocky" in error.message
    assert "usermod -aG docker elspeth" in error.hint
    assert bare.journal == []


def test_a_sudo_that_wants_a_password_is_a_sentence(bare: FakeServer) -> None:
    bare.install("sudo", "echo 'sudo: a password is required' >&2; exit 1")
    error = failed(bare)
    assert error.message == "Docker is not installed, and elspeth could not become root to change that."
    assert error.got == "sudo: a password is required"
    assert error.hint.startswith("Sudo wants a password, and there is no terminal here to ask at")
    assert "usermod -aG docker elspeth" in error.hint
    assert "reconnect" not in bare.journal


def test_a_password_that_sudo_does_not_take_is_a_sentence(bare: FakeServer) -> None:
    bare.install(
        "sudo", "[ $1 = -n ] && echo 'sudo: a password is required' >&2 || echo 'Sorry, try again.' >&2; exit 1"
    )
    error = failed(bare, "wrong")
    assert "elspeth could not become root" in error.message
    assert error.got == "Sorry, try again."


def test_who_may_not_use_docker_is_told_so(bare: FakeServer) -> None:
    bare.facts = replace(bare.facts, has_docker=True, docker_runs=True)
    bare.install("sudo", "echo 'elspeth is not in the sudoers file.' >&2; exit 1")
    assert failed(bare).message.startswith("elspeth is not in the docker group, and elspeth could not become root")


def test_docker_that_is_not_ready_afterwards_is_said(bare: FakeServer) -> None:
    bare.install("sudo", "exit 0")
    assert failed(bare).message == "Docker was made ready, and still: Docker is not installed."


def test_a_server_without_sudo_is_a_sentence(bare: FakeServer) -> None:
    error = failed(bare)
    assert "sudo: not found" in error.got
    assert "lets elspeth become root" in error.hint


def test_root_needs_no_sudo_and_shows_only_the_end_of_what_apt_said(bare: FakeServer) -> None:
    bare.facts = replace(bare.facts, uid=0, user="root")
    bare.install("apt-get", "seq 100; echo 'E: no network' >&2; exit 100")
    error = failed(bare)
    assert error.got.endswith("E: no network")
    assert "\n50\n" not in error.got


def test_a_server_that_is_no_linux_is_refused(server: FakeServer) -> None:
    server.facts = replace(server.facts, platform="darwin/arm64")
    with pytest.raises(StepFailed, match=r"darwin/arm64; only Linux"):
        GatherFacts().check(server)
