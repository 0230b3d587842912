from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy_plugin import settings
from deploy_plugin.errors import ConfigError
from deploy_plugin.models import App, SecretSource, Target
from deploy_plugin.secret import Secret

TARGET = Target("staging", "elspeth@staging.example.com", "http://staging.example.com:8080")


def with_secrets(**sources: SecretSource) -> App:
    return App("superlists", Path(), secrets=sources)


def printing(code: str) -> SecretSource:
    return SecretSource(command=(sys.executable, "-c", code))


def test_a_secret_is_fetched_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "hunter2")
    app = with_secrets(MAIL=SecretSource(from_env="MAIL_PASSWORD"), KEY=SecretSource(generate=50))
    assert settings.secrets_from_here(app) == {"MAIL": Secret("hunter2")}


def test_a_secret_that_the_environment_lacks_says_how_to_give_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAIL_PASSWORD", raising=False)
    with pytest.raises(ConfigError, match=r"secret MAIL is missing: .*MAIL_PASSWORD") as caught:
        settings.secrets_from_here(with_secrets(MAIL=SecretSource(from_env="MAIL_PASSWORD")))
    assert "export MAIL_PASSWORD=" in caught.value.hint


def test_a_secret_is_what_its_command_prints_without_the_last_newline() -> None:
    app = with_secrets(API=printing("print(' key ')"))
    assert settings.secrets_from_here(app) == {"API": Secret(" key ")}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (SecretSource(command=("no-such-command-anywhere",)), "can't be run"),
        (printing("print('half'); raise SystemExit('locked')"), "locked"),
        (printing("pass"), "gave none"),
    ],
)
def test_a_command_that_gives_no_secret_is_an_error_without_what_it_printed(source: SecretSource, said: str) -> None:
    with pytest.raises(ConfigError, match="secret API is missing") as caught:
        settings.secrets_from_here(with_secrets(API=source))
    assert said in str(caught.value)
    assert "half" not in str(caught.value)


def test_a_secret_of_two_lines_is_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEM", "hunter2\nhunter3")
    with pytest.raises(ConfigError, match="PEM has more than one line") as caught:
        settings.secrets_from_here(with_secrets(PEM=SecretSource(from_env="PEM")))
    assert "hunter" not in str(caught.value)


def test_only_what_is_nowhere_yet_is_generated() -> None:
    app = with_secrets(OLD=SecretSource(generate=50), NEW=SecretSource(generate=20), MAIL=SecretSource(from_env="M"))
    joined = settings.server_secrets(app, {"OLD": Secret("kept"), "MAIL": Secret("old")}, {"MAIL": Secret("new")})
    assert (joined["OLD"], joined["MAIL"]) == (Secret("kept"), Secret("new"))
    assert len(joined["NEW"].reveal()) == 20


def test_a_secret_that_the_server_keeps_is_never_dropped() -> None:
    assert settings.server_secrets(with_secrets(), {"BY_HAND": Secret("x")}, {}) == {"BY_HAND": Secret("x")}


def test_settings_are_filled_in_for_the_target_and_the_release() -> None:
    env = {"HOST": "{host}", "URL": "{url}/", "RELEASE": "r-{release}", "OTHER": "{nothing} {}"}
    filled = settings.release_settings(App("a", Path(), env=env), TARGET, "20261124-031205-1a2b3c4", {})
    assert filled == {
        "HOST": "staging.example.com",
        "URL": "http://staging.example.com:8080/",
        "RELEASE": "r-20261124-031205-1a2b3c4",
        "OTHER": "{nothing} {}",
    }


def test_a_secret_wins_over_a_setting_of_its_name() -> None:
    secrets: Mapping[str, Secret] = {"KEY": Secret("s")}
    assert settings.release_settings(App("a", Path(), env={"KEY": "plain"}), TARGET, "r", secrets) == secrets


def test_an_env_file_is_sorted_and_comes_back_as_it_was() -> None:
    rendered = settings.render({"B": Secret("two=2 # ä"), "A": "1"})
    assert rendered == "A=1\nB=two=2 # ä\n".encode()
    assert settings.parse(rendered) == {"A": Secret("1"), "B": Secret("two=2 # ä")}


def test_comments_and_empty_lines_of_an_env_file_are_nothing() -> None:
    assert settings.parse(b"# by hand\n\nA=1\nnot a setting\nEMPTY=\n") == {"A": Secret("1"), "EMPTY": Secret("")}
