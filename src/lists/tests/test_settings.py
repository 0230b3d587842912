"""Settings are read once per process: each of these claims has a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MANAGE = Path(__file__).parents[2] / "manage.py"
KEY = "a-long-key-for-nothing-but-this-test-0123456789-abcdef"


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    return subprocess.run(
        [sys.executable, MANAGE, *arguments],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_secret_key_one_sentence_says_what_to_set() -> None:
    result = manage("check")
    assert result.returncode == 1
    assert result.stderr == (
        "DJANGO_SECRET_KEY is not set: give the site a long random value in its environment, "
        "or set DJANGO_DEBUG=1 on your own machine.\n"
    )


def test_debugging_needs_no_secret_key() -> None:
    assert manage("check", DJANGO_DEBUG="1").returncode == 0


def test_a_deployed_release_has_nothing_to_report() -> None:
    result = manage(
        "check", "--deploy", "--fail-level=WARNING", DJANGO_SECRET_KEY=KEY, DJANGO_ALLOWED_HOSTS="a.example"
    )
    assert result.returncode == 0, result.stderr
    assert "no issues" in result.stdout


def test_hosts_and_the_database_come_from_the_environment() -> None:
    shown = manage(
        "diffsettings",
        DJANGO_SECRET_KEY=KEY,
        DJANGO_ALLOWED_HOSTS="a.example, b.example,",
        DJANGO_DATABASE_PATH="/data/db.sqlite3",
    ).stdout
    assert "ALLOWED_HOSTS = ['a.example', 'b.example']" in shown
    assert "'NAME': '/data/db.sqlite3'" in shown


def test_debugging_is_off_unless_asked_for() -> None:
    assert "DEBUG = True" not in manage("diffsettings", DJANGO_SECRET_KEY=KEY, DJANGO_DEBUG="no").stdout
    assert "DEBUG = True" in manage("diffsettings", DJANGO_SECRET_KEY=KEY, DJANGO_DEBUG="yes").stdout


def test_every_change_of_a_model_has_its_migration() -> None:
    result = manage("makemigrations", "--check", "--dry-run", DJANGO_DEBUG="1")
    assert result.returncode == 0, result.stdout
