from __future__ import annotations

import base64
import html
import json
import pickle
import pprint
import random
import re
import shlex
import string
from collections.abc import Callable
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import pytest
from _pytest._io.pprint import PrettyPrinter
from _pytest._io.saferepr import saferepr

from deploy_plugin.errors import StepFailed
from deploy_plugin.redaction import SHORTEST, Redactor
from deploy_plugin.secret import MASK, Secret

PLAIN = "s3ntinelABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefgh"
NASTY = "pä\"ss'w\\ord <&> %d {x} /?+=\t€ and more of it"


def knowing(*values: str) -> Redactor:
    redactor = Redactor()
    redactor.learn((f"KEY{number}", Secret(value)) for number, value in enumerate(values))
    return redactor


def parts_of(secret: str, text: str, length: int = SHORTEST) -> list[str]:
    """What is left of a secret in a text."""
    every = (secret[start : start + length] for start in range(len(secret) - length + 1))
    return [part for part in every if part in text]


def test_a_value_is_replaced_wherever_it_stands() -> None:
    assert knowing(PLAIN).redact(f"KEY={PLAIN}\n{PLAIN}{PLAIN}.") == f"KEY={MASK}\n{MASK}."


def test_what_is_no_secret_stays_as_it_is() -> None:
    text = "  superlists... E   'nothing' \x1b[31mred\x1b[0m\n"
    assert knowing(PLAIN).redact(text) == text
    assert Redactor().redact(text) == text


ENCODERS: list[Callable[[str], str]] = [
    repr,
    ascii,
    lambda value: repr(repr(value)),
    lambda value: repr({"env": {"KEY": value, "other": "it's"}}),
    lambda value: repr(f"'{value}"),
    lambda value: repr(f'"{value}'),
    lambda value: repr(value.encode()),
    lambda value: repr(f"\"KEY='{value}".encode()),
    lambda value: repr([f"KEY={value}".encode()]),
    json.dumps,
    lambda value: json.dumps(value, ensure_ascii=False),
    lambda value: json.dumps(json.dumps({"KEY": value})),
    lambda value: json.dumps(repr(value)),
    shlex.quote,
    escape,
    html.escape,
    lambda value: html.escape(repr(value)),
    lambda value: escape(json.dumps(value), {'"': "&quot;"}),
    quote,
    lambda value: quote(value, safe=""),
    quote_plus,
    lambda value: base64.b64encode(value.encode()).decode(),
    lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
]


@pytest.mark.parametrize("encode", ENCODERS)
@pytest.mark.parametrize("value", [PLAIN, NASTY])
def test_a_value_is_found_in_every_spelling(value: str, encode: Callable[[str], str]) -> None:
    shown = encode(value)
    redacted = knowing(value).redact(f"before {shown} after")
    assert MASK in redacted
    assert not [part for part in parts_of(shown, redacted, 10) if part not in encode("#")]


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "!", "!!"])
def test_base64_of_a_longer_text_is_found(before: str, after: str) -> None:
    shown = base64.b64encode(f"{before}{PLAIN}{after}".encode()).decode()
    redacted = knowing(PLAIN).redact(shown)
    assert MASK in redacted
    assert not parts_of(shown, redacted, 12)


@pytest.mark.parametrize("maxsize", [20, 30, 42, 60, 80])
@pytest.mark.parametrize("value", [PLAIN, NASTY])
def test_what_pytest_leaves_of_a_value_is_hidden_too(value: str, maxsize: int) -> None:
    for shown in (saferepr(f"KEY={value} with a tail that is long enough", maxsize), saferepr({"KEY": value}, maxsize)):
        assert not parts_of(repr(value)[1:-1], knowing(value).redact(shown))


def test_a_value_broken_into_several_lines_is_hidden() -> None:
    long = PLAIN * 4
    env = {"env": [f"KEY={long}\nA=1".encode(), f"KEY={long}".encode()]}
    for shown in (pprint.pformat(env, width=60), PrettyPrinter(width=60).pformat(env)):
        assert "\n" in shown
        assert not parts_of(long, knowing(long).redact(shown), 12)


def test_a_value_of_several_words_broken_into_several_lines_is_hidden() -> None:
    words = "correct horse battery staple and a hundred other words of mine that nobody can guess"
    shown = pprint.pformat({"env": {"KEY": words}}, width=40)
    assert shown.count("\n") > 1
    assert not parts_of(words, knowing(words).redact(shown))


SHOWN = f"ALLOWED_HOSTS=staging.example.com\nKEY={PLAIN}\nMAIL=x\n"


@pytest.mark.parametrize("verbose", [0, 1, 2])
@pytest.mark.parametrize(
    "expected",
    [
        SHOWN[:-60] + "~" * 60,
        "~" + SHOWN[1:],
        "nothing like it",
    ],
)
@pytest.mark.parametrize("as_bytes", [False, True])
def test_a_failing_comparison_shows_nothing_of_it(
    request: pytest.FixtureRequest, verbose: int, expected: str, *, as_bytes: bool
) -> None:
    sides = (SHOWN.encode(), expected.encode()) if as_bytes else (SHOWN, expected)
    request.config.option.verbose, before = verbose, request.config.option.verbose
    try:
        lines = request.config.hook.pytest_assertrepr_compare(
            config=request.config, op="==", left=sides[0], right=sides[1]
        )
    finally:
        request.config.option.verbose = before
    shown = "\n".join(f"E       {line}" for line in lines[0])
    assert not parts_of(PLAIN, knowing(PLAIN).redact(shown), 12)


@pytest.mark.parametrize("end", ["...", "'...", "')...", ")...", "…"])
def test_a_head_before_the_dots_of_a_list_that_was_cut_is_hidden(end: str) -> None:
    shown = f"E         +  b'x\\nKEY={PLAIN[:30]}{end}\nE         \nE         ...Full output truncated"
    assert not parts_of(PLAIN, knowing(PLAIN).redact(shown))


def test_a_middle_before_the_dots_of_a_list_that_was_cut_is_hidden() -> None:
    shown = f"E         +  b'{PLAIN[10:30]}'...\n"
    assert not parts_of(PLAIN, knowing(PLAIN).redact(shown))


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("color", [False, True])
def test_however_a_comparison_is_cut_nothing_of_it_is_left(
    request: pytest.FixtureRequest, seed: int, *, color: bool
) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same cases each time
    secret = "".join(chance.choices(string.ascii_letters + string.digits + "'\"\\é% <", k=chance.choice([24, 50, 80])))
    text = "".join(f"A={'x' * chance.randrange(60)}\n" for _ in range(3)) + f"KEY={secret}\nZ=1\n"
    left, right = chance.choice([(text, ""), (text.encode(), b""), ({"a": text}, {}), ([text, secret], [])])
    request.config.option.verbose, verbose = seed % 3, request.config.option.verbose
    writer = request.config.get_terminal_writer()
    writer.hasmarkup, markup = color, writer.hasmarkup
    try:
        (lines,) = request.config.hook.pytest_assertrepr_compare(config=request.config, op="==", left=left, right=right)
    finally:
        request.config.option.verbose, writer.hasmarkup = verbose, markup
    shown = "\n".join(f"E       {line}" for line in lines)
    shown = f"{shown[: chance.randrange(len(shown))]}...\nE       ...Full output truncated"
    redacted = re.sub(r"\x1b(\[[\d;]*m?)?", "", knowing(secret).redact(shown))
    assert not parts_of(secret, redacted, 12)
    assert not parts_of(repr(secret)[1:-1], redacted, 12)


def test_colours_in_the_middle_do_not_save_it_and_stay() -> None:
    colored = f"\x1b[31mKEY={PLAIN[:9]}\x1b[0m\x1b[32m{PLAIN[9:]}\x1b[0m end"
    assert knowing(PLAIN).redact(colored) == f"\x1b[31mKEY={MASK}\x1b[0m\x1b[32m\x1b[0m end"


def test_a_value_within_another_leaves_nothing_of_either() -> None:
    assert knowing("hunter2", "postgres://me:hunter2@db/x").redact("at postgres://me:hunter2@db/x") == f"at {MASK}"


def test_spaces_around_a_value_do_not_save_it() -> None:
    assert knowing(f"  {PLAIN}\t").redact(PLAIN) == MASK


def test_a_value_that_is_too_short_is_named_and_left() -> None:
    redactor = knowing("short", "")
    assert redactor.redact("a short story") == "a short story"
    assert redactor.too_short == {"KEY0"}


def test_an_error_says_nothing_of_it_to_anybody() -> None:
    error = StepFailed(f"It has {PLAIN}", got=f"KEY={PLAIN}", hint=f"not {PLAIN}")
    assert knowing(PLAIN).redact_error(error) is error
    assert PLAIN not in str(error) + repr(error) + str(vars(error)) + str(error.args)
    assert str(error) == f"It has {MASK}\n    KEY={MASK}\nnot {MASK}"


def test_it_travels_to_workers_and_shows_nothing_of_itself() -> None:
    redactor = pickle.loads(pickle.dumps(knowing(PLAIN)))  # noqa: S301 - ours
    assert redactor.redact(PLAIN) == MASK
    assert PLAIN not in repr(redactor)


def test_a_long_text_without_secrets_stays_as_it_is() -> None:
    text = "a line of a log, as long as they are: 2026-01-01 GET /lists/1/ 200 'agent'...\n" * 20_000
    assert knowing(PLAIN, NASTY, "postgres://me:hunter2@db/x").redact(text) == text
