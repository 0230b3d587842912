from __future__ import annotations

import shlex
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.errors import StepFailed, Unreachable
from deploy_plugin.server.base import Result, quote
from deploy_plugin.server.shell import FED
from deploy_plugin.server.ssh import SshServer
from deploy_plugin.server.ssh_config import docker_socket, write_run_config
from tests.waiting import until

CHANGED = """
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
The fingerprint for the ED25519 key sent by the remote host is
SHA256:bmV3.
Please contact your system administrator.
Offending ED25519 key in /home/a/.ssh/known_hosts:7
Host key for x has changed and you have requested strict checking.
Host key verification failed.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_run_config(tmp_path, user_config=None, identity_file=None)
    return tmp_path


def fake_ssh(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put an ``ssh`` first on PATH that writes down how it was called; no connection is made."""
    command = folder / "bin" / "ssh"
    command.parent.mkdir()
    command.write_text(
        f'#!/bin/sh\nfor word do printf "%s\\n" "$word"; done >> {shlex.quote(str(folder))}/called\n{script}\n'
    )
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(command.parent), prepend=":")


@pytest.mark.parametrize("word", ["plain", "two words", "$HOME", "`id`", "a'b", 'a"b', "", ";rm", "-x", "a\nb", "*"])
def test_a_word_reaches_the_command_as_it_was_given(word: str) -> None:
    assert shlex.split(quote(("echo", word, PurePosixPath("/a b")))) == ["echo", word, "/a b"]


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("ssh: Could not resolve hostname x: Name or service not known", "spelling"),
        ("ssh: connect to host x port 22: Connection refused", "sshd"),
        ("ssh: connect to host x port 22: Connection timed out", "firewall"),
        ("ssh: connect to host x port 22: No route to host", "network"),
        ("elspeth@x: Permission denied (publickey).", "--ssh-identity-file"),
        ("Host key verification failed.", "not known yet"),
        (
            "@@@@@\n@  WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!  @\n@@@@@\nHost key verification failed.",
            "ssh-keygen -R",
        ),
        ("something new", "ssh -v"),
    ],
)
def test_what_ssh_says_is_shown_with_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch, said: str, hint: str
) -> None:
    fake_ssh(folder, monkeypatch, f"echo {shlex.quote(said)} >&2; exit 255")
    with SshServer("elspeth@x", folder) as server, pytest.raises(Unreachable) as caught:
        server.run("true")
    assert "elspeth@x" in caught.value.message
    assert said.splitlines()[-1] in caught.value.got
    assert "@@@" not in caught.value.got
    assert hint in caught.value.hint


def test_of_a_changed_host_key_only_what_matters_is_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ssh(folder, monkeypatch, f"echo {shlex.quote(CHANGED)} >&2; exit 255")
    with SshServer("elspeth@x", folder) as server, pytest.raises(Unreachable) as caught:
        server.run("true")
    assert caught.value.got.splitlines() == [
        "SHA256:bmV3.",
        "Offending ED25519 key in /home/a/.ssh/known_hosts:7",
        "Host key verification failed.",
    ]


def test_one_connection_is_opened_and_its_shell_runs_all_but_what_reads_much(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(folder, monkeypatch, 'case "$*" in *"-- sh") exec sh;; *) cat; exit 3;; esac')
    with SshServer("elspeth@[::1]:2222", folder) as server:
        done = [server.run("echo", "two  words"), server.run("sh", "-c", "echo no >&2; exit 4")]
        done.append(server.run("cat", stdin=b"fed"))
        much = server.run("cat", "two words", stdin=bytes(FED + 1))
    assert done == [Result(0, b"two  words\n"), Result(4, b"", b"no"), Result(0, b"fed")]
    assert much == Result(3, bytes(FED + 1))
    called = (folder / "called").read_text()
    assert called.count("ControlMaster=yes") == 1
    assert called.count("-p\n2222\n") == 2
    assert "elspeth@::1\n--\ncat 'two words'\n" in called
    assert "StrictHostKeyChecking" not in called


def test_a_connection_that_is_begun_is_the_one_that_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ssh(folder, monkeypatch, 'case "$*" in *"-- sh") exec sh;; esac')
    with SshServer("elspeth@x", folder) as server:
        server.begin()
        server.begin()
        assert server.run("echo", "there") == Result(0, b"there\n")
        server.begin()
    assert (folder / "called").read_text().count("ControlMaster=yes") == 1


def test_what_goes_wrong_with_one_that_is_begun_is_said_with_its_first_use(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(folder, monkeypatch, 'echo "ssh: connect to host x port 22: Connection refused" >&2; exit 255')
    with SshServer("elspeth@x", folder) as server:
        server.begin()
        with pytest.raises(Unreachable, match="can't be reached"):
            server.run("true")


def test_one_that_is_begun_and_never_used_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ssh(folder, monkeypatch, f"echo $$ > {folder}/pid; exec sleep 600")
    server = SshServer("elspeth@x", folder)
    server.begin()
    until(lambda: (folder / "pid").exists() and (folder / "pid").read_text().endswith("\n"))
    server.close()
    assert not Path("/proc", (folder / "pid").read_text().strip()).exists()


def test_while_a_command_runs_another_thread_s_gets_a_session_of_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(folder, monkeypatch, 'case "$*" in *"-- sh") exec sh;; *) eval "${*##*-- }";; esac')
    first, second = str(folder / "first"), str(folder / "second")
    wait = 'touch "$1"; until [ -e "$2" ]; do sleep 0.01; done; echo "$3"'
    with SshServer("elspeth@x", folder) as server, ThreadPoolExecutor() as threads:
        said = [
            threads.submit(server.run, "sh", "-c", wait, "sh", first, second, "one"),
            threads.submit(server.run, "sh", "-c", wait, "sh", second, first, "other"),
        ]
        assert [one.result().stdout for one in said] == [b"one\n", b"other\n"]


@pytest.mark.parametrize("stdin", [b"", b"fed", bytes(FED + 1)], ids=["in the shell", "fed there", "in a session"])
def test_a_connection_that_breaks_is_told_from_a_command_that_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stdin: bytes
) -> None:
    breaks = 'read -r hello; eval "$hello"; read -r command; echo "Broken pipe" >&2; exit 255'
    fake_ssh(folder, monkeypatch, f'case "$*" in *"-- sh") {breaks};; *) echo "Broken pipe" >&2; exit 255;; esac')
    with SshServer("elspeth@x", folder) as server, pytest.raises(Unreachable, match="broke") as caught:
        server.run("true", stdin=stdin)
    assert "Broken pipe" in str(caught.value)


@pytest.mark.parametrize("stdin", [b"", b"fed", bytes(FED + 1)], ids=["in the shell", "fed there", "in a session"])
def test_a_command_that_itself_ends_with_255_is_a_result(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stdin: bytes
) -> None:
    fake_ssh(folder, monkeypatch, 'case "$*" in *"-- sh") exec sh;; *"-O check"*) exit 0;; *) exit 255;; esac')
    with SshServer("elspeth@x", folder) as server:
        assert server.run("sh", "-c", "exit 255", stdin=stdin).exit_code == 255


def test_an_answer_through_the_connection_is_http(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = r'printf "HTTP/1.1 204 No Content\r\n\r\n"'
    fake_ssh(folder, monkeypatch, f'case "$*" in *"-- sh") exec sh;; *"-W 172.17.0.2:8888"*) {answer};; esac')
    with SshServer("elspeth@x", folder) as server:
        assert server.get("172.17.0.2", 8888, "/", host="example.com").status == 204


def test_who_takes_half_a_connection_for_a_visitor_that_left_answers_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = r'printf "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n"'
    # It reads the request, and then, for a while, whether the visitor is still there: the end of stdin says no.
    proxy = 'exec bash -c \'while read -r line && [ "$line" != $(printf "\\r") ]; do :; done; '
    proxy += f"read -r -t 0.5; if [ $? -gt 128 ]; then {one} 200; else {one} 499; fi'"
    fake_ssh(folder, monkeypatch, f'case "$*" in *"-- sh") exec sh;; *) {proxy};; esac')
    with SshServer("elspeth@x", folder) as server:
        assert server.get("172.17.0.2", 8080, "/", host="example.com").status == 200


def test_docker_is_reached_by_its_own_command_where_its_socket_is_not_forwarded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = 'echo "permission denied while connecting to Docker" >&2; exit 1'
    fake_ssh(folder, monkeypatch, f'case "$*" in *"-- sh") exec sh;; *"docker system dial-stdio") {denied};; esac')
    with SshServer("elspeth@x", folder) as server:
        for _ in range(2):
            with pytest.raises(StepFailed, match="Docker on the server does not answer") as caught:
                server.engine  # noqa: B018 - it connects
    assert "permission denied" in caught.value.got
    assert "docker version" in caught.value.hint
    assert not docker_socket(folder).exists()


def test_neither_a_forwarded_socket_nor_a_docker_command_is_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ssh(folder, monkeypatch, f'case "$*" in *"-- sh") PATH={folder} exec /bin/sh;; *) exit 127;; esac')
    with SshServer("elspeth@x", folder) as server, pytest.raises(StepFailed, match="no docker command there") as caught:
        server.engine  # noqa: B018 - it connects
    assert "AllowStreamLocalForwarding" in caught.value.hint


def test_a_forwarded_port_that_nobody_listens_at_is_asked_again_in_the_same_way(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = f"echo channel 3: open failed: connect failed: Connection refused >> {folder}/master.log; exit 255"
    fake_ssh(folder, monkeypatch, f'case "$*" in *"-- sh") exec sh;; *"-W 172.17.0.2:8888"*) {refused};; esac')
    with SshServer("elspeth@x", folder) as server:
        for _ in range(2):
            with pytest.raises(OSError, match="no HTTP answer"):
                server.get("172.17.0.2", 8888, "/", host="example.com")
    assert "/dev/tcp" not in (folder / "called").read_text()


def test_where_no_port_is_forwarded_a_command_on_the_server_asks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_ports(folder, monkeypatch, r'printf "HTTP/1.1 204 No Content\r\n\r\n"')
    with SshServer("elspeth@x", folder) as server:
        for _ in range(2):
            assert server.get("172.17.0.2", 8888, "/", host="example.com").status == 204
    assert (folder / "called").read_text().count("-W\n") == 1


def test_neither_a_forwarded_port_nor_a_command_that_asks_is_a_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_ports(folder, monkeypatch, "exit 44")
    with SshServer("elspeth@x", folder) as server, pytest.raises(StepFailed, match="neither bash nor nc") as caught:
        server.get("172.17.0.2", 8888, "/", host="example.com")
    assert "AllowTcpForwarding" in caught.value.hint


def refuse_ports(folder: Path, monkeypatch: pytest.MonkeyPatch, there: str) -> None:
    """Let a fake sshd forward no port, and a command on its server do this instead."""
    refused = f"echo channel 3: open failed: administratively prohibited: open failed >> {folder}/master.log; exit 255"
    ways = f'*"-- sh") exec sh;; *"-W "*) {refused};; *"/dev/tcp"*) {there};;'
    fake_ssh(folder, monkeypatch, f'case "$*" in {ways} esac')


def test_joining_opens_no_connection_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ssh(folder, monkeypatch, "echo joined")
    with SshServer("elspeth@x", folder, join=True) as server:
        assert server.run("true").stdout == b"joined\n"
    assert "ControlMaster" not in (folder / "called").read_text()
