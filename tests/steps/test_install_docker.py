from __future__ import annotations

from dataclasses import replace

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.steps.gather_facts import GatherFacts
from deploy_plugin.steps.install_docker import InstallDocker
from deploy_plugin.testing import FakeServer


@pytest.fixture
def bare(server: FakeServer) -> FakeServer:
    """A server without Docker, where elspeth deploys."""
    facts = replace(server.facts, uid=1000, gid=1000, user="elspeth", docker_access=False)
    server.facts = replace(facts, has_docker=False, docker_runs=False)
    return server


def failed(server: FakeServer) -> StepFailed:
    with pytest.raises(StepFailed) as caught:
        InstallDocker().apply(server)
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
    assert "as elspeth" in error.message
    assert error.got == "sudo: a password is required"
    assert "sudo without a password" in error.hint
    assert "reconnect" not in bare.journal


def test_a_server_without_sudo_is_a_sentence(bare: FakeServer) -> None:
    assert "sudo: not found" in failed(bare).got


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
