"""On this machine's own engine, through the command that users type. Without an engine these fail: no skips."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.sandbox import Sandbox, boot, find, remove, reserve
from deploy_plugin.sandbox.state import read
from deploy_plugin.server.local import local_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Done(NamedTuple):
    code: int
    out: str
    err: str


def run(*argv: str) -> Done:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=300)
    return Done(done.returncode, done.stdout, done.stderr)


def command(*argv: str) -> Done:
    return run(sys.executable, "-m", "deploy_plugin.cli", "sandbox", *argv)


def ssh(sandbox: Sandbox, line: str) -> Done:
    return run("ssh", "-F", str(sandbox.ssh_config), "-o", "BatchMode=yes", sandbox.alias, line)


def up(name: str, *options: str) -> Sandbox:
    done = command("up", name, *options)
    assert done.code == 0, done.err
    sandbox = find(name)
    assert sandbox is not None
    return sandbox


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    name = f"test-{secrets.token_hex(3)}"
    yield up(name)
    assert command("down", name).code == 0


@pytest.fixture(scope="module")
def bare() -> Iterator[Sandbox]:
    name = f"test-{secrets.token_hex(3)}"
    yield up(name, "--bare")
    assert command("down", name).code == 0


def test_one_logs_in_as_deploy_with_strict_host_key_checking(server: Sandbox) -> None:
    assert "StrictHostKeyChecking yes" in server.ssh_config.read_text()
    assert ssh(server, "id -un; hostname") == Done(0, f"deploy\nsandbox-{server.name}\n", "")


def test_its_own_docker_answers_and_is_not_this_machines(server: Sandbox) -> None:
    with closing(local_client()) as client:
        here = client.info()["ID"]
    there = ssh(server, "docker info --format '{{.ID}}'")
    assert there.code == 0, there.err
    assert there.out.strip() != here


def test_deploy_has_no_sudo_where_docker_is_there_already(server: Sandbox) -> None:
    assert ssh(server, "sudo -n true").code != 0


def test_json_is_what_an_ordinary_ssh_target_needs(server: Sandbox) -> None:
    facts = json.loads(command("up", server.name, "--json").out)
    assert facts == {
        "name": server.name,
        "destination": server.destination,
        "ssh_config": str(server.ssh_config),
        "url": server.url,
    }
    host = facts["destination"].partition(":")[0]
    assert run("ssh", "-F", facts["ssh_config"], host, "id -un").out == "deploy\n"


def test_the_command_runs_a_command_there_and_gives_its_exit_code(server: Sandbox) -> None:
    assert command("ssh", server.name, "echo", "there;", "exit", "7") == Done(7, "there\n", "")


def test_a_changed_host_key_is_refused(server: Sandbox, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)).code == 0
    place = (server.folder / "known_hosts").read_text().split()[0]
    known = tmp_path / "known_hosts"
    known.write_text(f"{place} {other.with_suffix('.pub').read_text()}")
    config = tmp_path / "ssh_config"
    config.write_text(server.ssh_config.read_text().replace(str(server.folder / "known_hosts"), str(known)))
    done = run("ssh", "-F", str(config), server.alias, "true")
    assert done.code == 255
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in done.err


def test_up_again_starts_nothing(server: Sandbox) -> None:
    before = started_at(server)
    assert reserve(server.name) == server
    assert boot(server) is False
    assert started_at(server) == before


def test_it_survives_a_restart_with_what_its_docker_ran(server: Sandbox) -> None:
    with closing(local_client()) as client:
        # The smallest image is the one that is no image: a tool of the server's own, mounted.
        assert ssh(server, "tar -c --files-from /dev/null | docker import - nothing:1").code == 0
        mounts = "-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro"
        made = ssh(server, f"docker run -d --name kept --restart unless-stopped {mounts} nothing:1 /usr/bin/sleep 600")
        assert made.code == 0, made.err
        client.containers.get(f"pytest-deploy-{server.alias}").stop()
        assert "stopped" in command("list").out
    assert boot(server) is True
    wait = "for i in $(seq 50); do docker ps -q --filter name=kept | grep -q . && exit 0; sleep 0.1; done; exit 1"
    assert ssh(server, wait).code == 0
    assert ssh(server, "docker rm -f kept").code == 0


def test_what_its_docker_publishes_is_at_its_url(server: Sandbox) -> None:
    assert ssh(server, "tar -c --files-from /dev/null | docker import - nothing:1").code == 0
    mounts = "-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro -v /etc:/etc:ro"
    answer = "HTTP/1.0 200 OK\\r\\n\\r\\nhello"
    serve = (
        "use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 8000, Listen => 5, ReuseAddr => 1) or die;"
        f'while (my $c = $s->accept) {{ $c->recv(my $q, 4096); print $c "{answer}"; close $c }}'
    )
    made = ssh(server, f"docker run -d --name web -p 80:8000 {mounts} nothing:1 /usr/bin/perl -e '{serve}'")
    assert made.code == 0, made.err
    assert eventually(lambda: page(server.url)) == b"hello"
    assert ssh(server, "docker rm -f web").code == 0


def test_a_bare_one_has_sudo_and_no_docker(bare: Sandbox) -> None:
    assert ssh(bare, "sudo -n id -un").out == "root\n"
    assert ssh(bare, "command -v docker dockerd").code != 0


def test_apt_works_in_a_bare_one(bare: Sandbox) -> None:
    done = ssh(bare, "sudo apt-get update -qq && apt-cache policy docker.io")
    assert "Candidate: " in done.out, done.err
    assert "Candidate: (none)" not in done.out


def test_asking_for_the_other_flavour_is_refused(server: Sandbox) -> None:
    done = command("up", server.name, "--bare")
    assert done.code == 4
    assert f"The sandbox '{server.name}' is there, with the engine overlay2, not bare." in done.err


def test_down_leaves_nothing() -> None:
    sandbox = up(f"test-{secrets.token_hex(3)}")
    with closing(local_client()) as client:
        container = client.containers.get(f"pytest-deploy-{sandbox.alias}")
        assert container.name
        volumes = [mount["Name"] for mount in container.attrs["Mounts"] if mount["Type"] == "volume"]
        assert len(volumes) == 1
        assert command("down", sandbox.name) == Done(0, f"{sandbox.name} is gone.\n", "")
        assert not client.containers.list(all=True, filters={"name": container.name})
        assert not client.volumes.list(filters={"name": volumes[0]})
    assert not sandbox.folder.exists()


def test_a_port_that_somebody_took_meanwhile_is_named() -> None:
    sandbox = reserve()
    record = read(sandbox.name)
    assert record is not None
    with socket.create_server((record.address, 0)) as somebody:
        port = somebody.getsockname()[1]
        replace(record, http_port=port).write()
        with pytest.raises(StepFailed, match="Something else on this machine listens") as error:
            boot(sandbox)
    assert str(port) in error.value.got
    remove(sandbox)


def test_a_throwaway_one_of_a_killed_process_is_swept_away() -> None:
    code = (
        "import os, signal; from deploy_plugin.sandbox import boot, reserve; s = reserve(); boot(s)\n"
        "print(s.name, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    name = run(sys.executable, "-c", code).out.strip()
    assert find(name) is not None
    listing = command("list")
    assert name not in listing.out
    assert find(name) is None


def page(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - a loopback address
            body: bytes = answer.read()
            return body
    except OSError:
        return None


def eventually(look: Callable[[], bytes | None]) -> bytes | None:
    deadline = time.monotonic() + 10
    while (seen := look()) is None and time.monotonic() < deadline:
        time.sleep(0.1)
    return seen


def started_at(sandbox: Sandbox) -> str:
    with closing(local_client()) as client:
        state = client.containers.get(f"pytest-deploy-{sandbox.alias}").attrs["State"]
        return str(state["StartedAt"])
