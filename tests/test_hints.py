from __future__ import annotations

import pytest

from deploy_plugin.hints import hint_for


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("write /layer.tar: no space left on device", "The server's disk is full"),
        ("cat: write error: No space left on device", "The server's disk is full"),
        ("django.db.utils.OperationalError: database or disk is full", "The server's disk is full"),
        ("sqlite3.OperationalError: unable to open database file", "[database] path in deploy.toml"),
        ("sqlite3.OperationalError: attempt to write a readonly database", "[database] path in deploy.toml"),
        ("exec /venv/bin/gunicorn: exec format error", "platform in deploy.toml"),
        ("Traceback …\nKeyError: 'EMAIL_PASSWORD'\n", "wants EMAIL_PASSWORD in its environment"),
    ],
)
def test_known_words_get_what_to_do_about_them(said: str, hint: str) -> None:
    assert hint in hint_for(said, "something else")


@pytest.mark.parametrize("said", ["", "KeyError: 'name'", "something new"])
def test_other_words_get_what_the_caller_says(said: str) -> None:
    assert hint_for(said, "something else") == "something else"
    assert hint_for(said) == ""
