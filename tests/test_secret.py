from __future__ import annotations

import pickle

import pytest

from deploy_plugin.secret import MASK, Secret

SENTINEL = "s3ntinel"


@pytest.mark.parametrize(
    "shown",
    [
        str(Secret(SENTINEL)),
        repr(Secret(SENTINEL)),
        f"{Secret(SENTINEL)}",
        f"{Secret(SENTINEL)!r:>20}".strip(),
        "{}".format(Secret(SENTINEL)),  # noqa: UP032 - one of the ways in which text is made
        "%s" % Secret(SENTINEL),  # noqa: UP031
        repr({"KEY": Secret(SENTINEL)})[8:-1],
    ],
)
def test_a_secret_never_shows_itself(shown: str) -> None:
    assert shown == MASK


def test_only_reveal_gives_it_away() -> None:
    assert Secret(SENTINEL).reveal() == SENTINEL


def test_secrets_are_equal_by_value_and_never_equal_to_text() -> None:
    assert Secret("ä") == Secret("ä")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


def test_a_generated_secret_is_long_as_asked_and_new_each_time() -> None:
    first, second = Secret.generate(50), Secret.generate(50)
    assert first != second
    assert len(first.reveal()) == 50
    assert first.reveal().isalnum()
    assert first.reveal().isascii()


def test_a_secret_survives_the_way_to_a_worker() -> None:
    assert pickle.loads(pickle.dumps(Secret(SENTINEL))) == Secret(SENTINEL)  # noqa: S301 - our own
