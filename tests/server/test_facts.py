from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.server import facts
from deploy_plugin.server.base import Result
from deploy_plugin.server.facts import APP_UID_UNDER_ROOT
from deploy_plugin.testing import FakeServer


def as_user(server: FakeServer, uid: int) -> None:
    server.install("id", f'case "$1" in -un) echo elspeth;; *) echo {uid};; esac')


def test_the_server_is_asked_for_all_of_it_at_once(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    as_user(server, 1000)
    server.install("uname", "echo aarch64")
    asked: list[str | PurePosixPath] = []
    run = server.run

    def counted(*argv: str | PurePosixPath, stdin: bytes = b"") -> Result:
        asked.append(argv[0])
        return run(*argv, stdin=stdin)

    monkeypatch.setattr(server, "run", counted)
    found = facts.gather(server)
    assert (found.user, found.uid, found.gid, found.platform) == ("elspeth", 1000, 1000, "linux/arm64")
    assert found.home == PurePosixPath(server.home)
    assert len(asked) == 1
    assert server.journal == []


@pytest.mark.parametrize(
    ("machine", "platform"), [("x86_64", "linux/amd64"), ("armv7l", "linux/arm/v7"), ("riscv64", "linux/riscv64")]
)
def test_the_platform_is_in_dockers_words(server: FakeServer, machine: str, platform: str) -> None:
    server.install("uname", f"echo {machine}")
    assert facts.gather(server).platform == platform


def test_the_app_runs_as_the_deploy_user(server: FakeServer) -> None:
    as_user(server, 1000)
    assert facts.gather(server).app_user == (1000, 1000)


def test_the_app_never_runs_as_root(server: FakeServer) -> None:
    as_user(server, 0)
    assert facts.gather(server).app_user == (APP_UID_UNDER_ROOT, APP_UID_UNDER_ROOT)


@pytest.mark.parametrize("command", ["docker", "dockerd"])
def test_docker_is_there_when_either_of_its_commands_is(tmp_path: Path, command: str) -> None:
    server = FakeServer(tmp_path)
    assert not facts.gather(server).has_docker
    server.install(command, "exit 1")
    assert facts.gather(server).has_docker


def test_what_does_not_answer_like_linux_is_a_sentence_with_its_words(server: FakeServer) -> None:
    server.install("sh", "echo 'This account is currently not available.'")
    with pytest.raises(StepFailed, match="does not answer as a Linux server") as caught:
        facts.gather(server)
    assert "not available" in caught.value.got
