from __future__ import annotations

import pickle

import pytest

from deploy_plugin.errors import ConfigError, DeployError, RollbackFailed, StepFailed, Unreachable


@pytest.mark.parametrize(
    ("kind", "code"), [(ConfigError, 4), (Unreachable, 30), (StepFailed, 30), (RollbackFailed, 31), (DeployError, 30)]
)
def test_each_error_has_the_documented_exit_code(kind: type[DeployError], code: int) -> None:
    assert kind("it failed").exit_code == code
    assert issubclass(kind, DeployError)


def test_an_error_reads_sentence_then_what_came_back_then_what_to_do() -> None:
    error = StepFailed("It failed.", got="first\n  second\n", hint="Try again.")
    assert str(error).splitlines() == ["It failed.", "    first", "      second", "Try again."]


def test_a_sentence_alone_is_one_line() -> None:
    assert str(StepFailed("It failed.", got="\n \n")) == "It failed."


def test_an_error_can_be_pickled_without_losing_its_words() -> None:
    error = pickle.loads(pickle.dumps(StepFailed("It failed.", got="a", hint="b")))  # noqa: S301 - our own
    assert str(error) == "It failed.\n    a\nb"
