"""The spellings in which a text turns up elsewhere: quoted, escaped, encoded."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

_DEPTH = 2
"""A repr of a repr, JSON in JSON: as deep as values are nested in reports."""


def spellings(value: str) -> set[str]:
    """Give the value itself, and all that reprs, JSON, XML, URLs, shells and base64 make of it."""
    quoted = {value}
    for _ in range(_DEPTH):
        quoted |= {spelling for one in quoted for spelling in _quoted(one)}
    marked_up = {spelling for one in quoted for spelling in _marked_up(one)}
    return quoted | marked_up | {quote(value), quote(value, safe=""), quote_plus(value)} | set(_base64(value.encode()))


def _quoted(text: str) -> Iterator[str]:
    """Inside the quotes; a leading quotation mark makes ``repr`` escape the other one."""
    for shown in (repr(f'"{text}'), ascii(f'"{text}'), repr(b'"' + text.encode())[1:]):
        inside = shown[2:-1]
        yield inside
        yield inside.replace("\\'", "'")
        yield inside.replace("\\'", "'").replace('"', '\\"')
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield text.replace("'", "'\"'\"'")  # as shlex.quote does


def _marked_up(text: str) -> Iterator[str]:
    yield escape(text)
    yield escape(text, {'"': "&quot;", "\n": "&#10;"})
    yield html.escape(text)


def _base64(value: bytes) -> Iterator[str]:
    """Alone, and within a longer text: there it starts at any of three places, and its edges are mixed with others."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(value).decode()
        for before, mixed in ((0, 0), (1, 2), (2, 3)):
            whole = encode(b"\0" * before + value).decode()
            padding = whole.count("=")
            yield whole[mixed : -padding - 1] if padding else whole[mixed:]
