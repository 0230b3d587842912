"""The table of mistakes says what the code says, and each of its rows is shown by a test."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

import pytest

from tests.documents import CHECKOUT, DOCS, Document
from tests.messages import Message, every_message, every_text

MISTAKES = Document(DOCS / "reference" / "mistakes.md")
ELSEWHERE = ("deploy_plugin.commands", "deploy_plugin.fixtures", "deploy_plugin.server.undocked")
"""What commands and fixtures say stands on their pages; what a plan does not know is no mistake."""
RARE = (
    # Somebody else changes this machine or the server at the same moment,
    "The container … is gone; somebody removed it.",
    "The sandbox … is gone: somebody took it down.",
    "The sandbox … was removed meanwhile.",
    "The container … is not this sandbox, but one whose state is in ….",
    "… is gone.",
    "… was shipped, but the server does not have it.",
    "… is not on this machine any more.",
    "… can't be looked at.",
    "the rehearsal shows whether a downtime is needed",
    "What served before the downtime can't be started again.",
    "the migrations are in …, which is not on the server",
    "the database's place is not there",
    "… does not run yet",
    "… holds the port, which the proxy takes over",
    # or a part of it breaks, and its own words say how.
    "The sandbox … ….",
    "The sandbox … could not be started.",
    "ssh-keygen could not make ….",
    "Docker went away when it was to ….",
    "Docker on this machine could not ….",
    "The records in … can't be listed.",
    "The snapshots in … can't be listed.",
    "The database that is there can't be kept, so nothing was changed.",
    "The server can't be made to put the old container back.",
    "… can't be copied out of ….",
    "The database could not be put in place.",
    # Servers without ssh are made by plugins, which say where they are.
    "This machine's Docker is another machine's: … (…).",
    "There is no … command on this machine.",
    "There is no ssh on this machine.",
    "…: … …",
)


@dataclass(frozen=True)
class Row:
    mistake: str
    said: tuple[str, ...]
    exit_code: int
    test: str


def rows() -> list[Row]:
    lines = re.findall(r"^\| (.*?) \| (.*?) \| (\d+) \| .*? <!-- (\S+) --> \|$", MISTAKES.text, re.MULTILINE)
    return [Row(mistake, tuple(re.findall(r"`([^`]+)`", said)), int(code), test) for mistake, said, code, test in lines]


def begins(text: str, row: Row) -> bool:
    return any(text.startswith(said.removesuffix("…")) for said in row.said)


each_row = pytest.mark.parametrize("row", rows(), ids=lambda row: row.mistake)


def test_no_line_of_the_table_is_passed_over() -> None:
    lines = re.findall(r"^\| .*\|$", MISTAKES.text, re.MULTILINE)
    assert len(rows()) == len(lines) - 1 > 60
    assert len({row.mistake for row in rows()}) == len(rows())


@each_row
def test_its_sentence_is_what_an_error_of_that_exit_code_begins_with(row: Row) -> None:
    first = [message for message in every_message() if begins(message.text, Row("", row.said[:1], 0, ""))]
    assert first, row.said[0]
    assert {message.exit_code for message in first} == {row.exit_code}


@each_row
def test_the_rest_of_it_stands_in_the_source(row: Row) -> None:
    texts = every_text()
    for said in row.said[1:]:
        assert any(said in text for text in texts), said


@each_row
def test_a_test_shows_it(row: Row) -> None:
    path, _, name = row.test.partition("::")
    tree = ast.parse((CHECKOUT / path).read_text(encoding="utf-8"))
    assert name in [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("message", every_message(), ids=lambda message: message.text)
def test_whatever_a_run_can_say_is_in_the_table(message: Message) -> None:
    if message.module.startswith(ELSEWHERE) or message.text in RARE:
        return
    assert any(begins(message.text, row) for row in rows()), message


def test_what_is_rare_is_still_said() -> None:
    assert set(RARE) <= {message.text for message in every_message()}
