"""The shell that stays, run by the shells that servers have."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import cast

import pytest

from deploy_plugin.server.base import Result, quote
from deploy_plugin.server.shell import FED, Busy, Shell, Unfit
from tests.waiting import until


@pytest.fixture(params=[["dash"], ["bash"], ["bash", "--posix"]], ids=" ".join)
def process(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(request.param, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        process.communicate()  # unlike close(), it forgives what was written to one that had ended


@pytest.fixture
def shell(process: subprocess.Popen[bytes]) -> Shell:
    assert process.stdin
    assert process.stdout
    return Shell(process.stdin, cast("BufferedReader", process.stdout))


def sh(shell: Shell, script: str, *words: str) -> Result:
    return shell.run(quote(("sh", "-c", script, "sh", *words)))


@pytest.mark.parametrize(
    "word", ["plain", "two words", "$HOME", "`id`", "a'b", 'a"b', "", ";rm", "a\nb\n", "*", "ü", "}"]
)
def test_words_arrive_as_they_were_given(shell: Shell, word: str) -> None:
    assert sh(shell, 'printf "%s" "$1"', word) == Result(0, word.encode())


def test_each_command_has_its_own_exit_code_and_streams(shell: Shell) -> None:
    assert sh(shell, "echo out; echo err >&2; exit 3") == Result(3, b"out\n", b"err")
    assert sh(shell, "cd /; exit 0") == Result(0)
    assert sh(shell, "kill -9 $$").exit_code == 137
    assert shell.run("no-such-command").exit_code == 127


def test_what_it_prints_comes_byte_for_byte(shell: Shell) -> None:
    everything = bytes(range(256)) * 4096
    path = quote(("python3", "-c", "import sys; sys.stdout.buffer.write(bytes(range(256)) * 4096)"))
    assert shell.run(path) == Result(0, everything)


def test_what_a_command_reads_comes_byte_for_byte(shell: Shell) -> None:
    everything = bytes(range(256)) * 390
    assert shell.run("cat", everything) == Result(0, everything)
    assert sh(shell, "echo next").stdout == b"next\n"


def test_who_does_not_read_what_there_is_ends_as_ever(shell: Shell) -> None:
    much = bytes(FED)
    assert shell.run(quote(("sh", "-c", "exit 7")), much) == Result(7)
    assert shell.run(quote(("sh", "-c", "head -c 1 >/dev/null; echo no >&2; exit 8")), much) == Result(8, b"", b"no")
    assert sh(shell, "echo next").stdout == b"next\n"


def test_what_a_command_reads_is_no_argument_of_anybody(shell: Shell) -> None:
    secret = base64.b64encode(b"correct horse battery")
    everybody = 'cat; for one in /proc/[0-9]*/cmdline; do tr "\\0" " " <"$one"; echo; done 2>/dev/null'
    said = shell.run(quote(("sh", "-c", everybody)), base64.b64decode(secret)).stdout
    assert said.startswith(b"correct horse battery")
    assert said.count(b"correct horse battery") == 1
    assert secret not in said


def test_more_than_it_can_give_is_for_somebody_else(shell: Shell) -> None:
    with pytest.raises(Unfit):
        shell.run("cat", bytes(FED + 1))
    assert shell.run("cat", b"less").stdout == b"less"


def test_where_its_printf_is_a_program_nothing_is_given_to_it(tmp_path: Path) -> None:
    other = tmp_path / "sh"
    other.write_text('#!/bin/sh\n[ "$1" != -c ] || exec /bin/sh -c "type() { echo \\$1 is /usr/bin/printf; }; $2"\n')
    other.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    with subprocess.Popen(["/bin/sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as process:
        assert process.stdin
        assert process.stdout
        shell = Shell(process.stdin, cast("BufferedReader", process.stdout))
        with pytest.raises(Unfit):
            shell.run("cat", b"secret")
        assert shell.run("echo fine").stdout == b"fine\n"
        process.communicate()


def test_it_reads_nothing_of_what_comes_next(shell: Shell) -> None:
    assert shell.run("cat") == Result(0)
    assert sh(shell, "echo next").stdout == b"next\n"


def test_nothing_of_it_is_held_open_by_what_stays_behind(shell: Shell, process: subprocess.Popen[bytes]) -> None:
    child = int(sh(shell, "sleep 60 >/dev/null 2>&1 & echo $!").stdout)
    behind = Path(f"/proc/{child}")
    until(lambda: (behind / "comm").read_text() == "sleep\n")  # until then it has what the shell gave it
    held = []
    for file in (behind / "fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile: it still reads its libraries
            held.append(str(file.readlink()))
    assert held
    assert not [file for file in held if file.startswith("pipe:")]
    process.communicate()  # ends, as the pipe has no other writer
    os.kill(child, signal.SIGTERM)


def test_of_a_command_that_arrives_in_part_nothing_runs(process: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert process.stdin
    assert process.stdout
    written = bytearray()

    class Half:
        """Stops in the middle of what is written."""

        def write(self, text: bytes, /) -> None:
            written.extend(text)

        def flush(self) -> None:
            raise BrokenPipeError

    command = quote(("sh", "-c", f"cat >{tmp_path}/ran\n\n"))
    half = Shell(Half(), cast("BufferedReader", process.stdout))
    half._can_feed = True  # noqa: SLF001 - it was asked before
    with pytest.raises(EOFError):
        half.run(command, b"touch ran; ")
    for size in range(1, len(written.rstrip())):
        started = subprocess.run(process.args, input=written[:size], capture_output=True, check=False)
        assert (started.stdout, list(tmp_path.iterdir())) == (b"", [])


def test_who_comes_while_a_command_runs_is_told(shell: Shell, tmp_path: Path) -> None:
    wait = 'touch "$1/runs"; until [ -e "$1/enough" ]; do sleep 0.01; done'
    runs = threading.Thread(target=sh, args=(shell, wait, str(tmp_path)))
    runs.start()
    until((tmp_path / "runs").exists)
    with pytest.raises(Busy):
        shell.run("true")
    (tmp_path / "enough").touch()
    runs.join()
    assert shell.run("true").ok


def test_after_a_command_that_was_left_nothing_is_run(shell: Shell, process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with pytest.raises(EOFError):
        shell.run("true")
    assert shell.left
    with pytest.raises(Busy):
        shell.run("true")
