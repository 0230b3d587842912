"""A password goes to sudo on stdin; where nobody can be asked for it, nobody is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from deploy_plugin.secret import Secret
from deploy_plugin.server import sudo
from deploy_plugin.server.sudo import as_root, ask_at_terminal
from deploy_plugin.testing import FakeServer

PASSWORD = "open sesame"  # noqa: S105 - nobody's
SUDO = """
printf '%s\\n' "$*" >> "$HOME/called"
[ "$1" = -S ] || { echo "sudo: a password is required" >&2; exit 1; }
read -r given
[ "$given" = "open sesame" ] || { echo "Sorry, try again." >&2; exit 1; }
while [ "$1" != sh ]; do shift; done
exec "$@"
"""


@pytest.fixture
def guarded(server: FakeServer) -> FakeServer:
    """A server where elspeth is root with her password only."""
    server.facts = replace(server.facts, uid=1000, user="elspeth")
    server.install("sudo", SUDO)
    return server


def test_the_password_is_asked_for_with_its_owner_and_goes_by_stdin(guarded: FakeServer) -> None:
    asked: list[str] = []

    def ask(sentence: str) -> Secret:
        asked.append(sentence)
        return Secret(PASSWORD)

    done = as_root(guarded, 'echo "did $1"', "it", ask=ask)
    assert (done.stdout, len(asked)) == (b"did it\n", 1)
    assert "elspeth" in asked[0]
    assert PASSWORD not in (guarded.home / "called").read_text()


def test_where_nobody_can_be_asked_sudos_own_words_come_back(guarded: FakeServer) -> None:
    done = as_root(guarded, "true", ask=lambda _sentence: None)
    assert (done.ok, done.text) == (False, "sudo: a password is required")
    assert (guarded.home / "called").read_text().count("\n") == 1


def test_a_wrong_password_is_tried_once(guarded: FakeServer) -> None:
    assert as_root(guarded, "true", ask=lambda _sentence: Secret("no")).text == "Sorry, try again."


def test_nobody_is_asked_where_the_output_goes_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda _number: False)
    monkeypatch.setattr(sudo, "getpass", pytest.fail)
    assert ask_at_terminal("?") is None


def test_what_is_typed_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda _number: True)
    monkeypatch.setattr(sudo, "_TERMINAL", Path(os.devnull))
    monkeypatch.setattr(sudo, "getpass", lambda _sentence: PASSWORD)
    answer = ask_at_terminal("?")
    assert (str(answer), answer and answer.reveal()) == ("********", PASSWORD)
