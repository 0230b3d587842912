"""Hides the values of secrets in text that somebody will read: whole, escaped, or cut short."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeVar

from deploy_plugin.errors import DeployError
from deploy_plugin.escapes import spellings
from deploy_plugin.secret import MASK, Secret

SHORTEST = 6
"""Characters: a shorter value is part of too many words that are no secret, and a shorter part of one tells little."""
_MIDDLE = 2 * SHORTEST
"""Characters of a part that is neither a secret's head nor its tail: more, as more words have them."""

_COLOR = re.compile(r"\x1b(?:\[[\d;]*m?)?")  # it may be cut as well
# A list of lines that is too long ends in one too, behind the quotes of the last line.
_ELLIPSIS = re.compile(r"['\"]?[)\]},]*(?P<dots>\.\.\.|…)")
# pytest cuts at a line's edges in two ways: pretty-printing breaks a long string into several in quotes, and a diff,
# whose lines are indented, leaves out how both sides begin and end.
_LINE = re.compile(
    r"^(?P<lead>[E ] +)?[-+ (\[{]*(?P<opened>b?['\"])?(?P<shown>.*?)(?P<closed>['\"][)\]},]*(?:\.\.\.)?)?$",
    re.MULTILINE,
)

Span = tuple[int, int]
Error = TypeVar("Error", bound=BaseException)


class Redactor:
    """Knows the secrets of a run, and puts ``********`` in their place."""

    def __init__(self) -> None:
        self.too_short: set[str] = set()
        """The keys of secrets that can't be hidden."""
        self._spellings: frozenset[str] = frozenset()
        self._whole = re.compile(r"(?!)")
        self._longest, self._all = 0, ""

    def learn(self, secrets: Iterable[tuple[str, Secret]]) -> None:
        """Hide these values from now on; each comes with its key."""
        values = [(key, secret.reveal().strip()) for key, secret in secrets]
        self.too_short |= {key for key, value in values if 0 < len(value) < SHORTEST}
        learnt = {one for _, value in values if len(value) >= SHORTEST for one in spellings(value)}
        self._hide({one for one in learnt if len(one) >= SHORTEST})

    def redact(self, text: str) -> str:
        if not self._spellings:
            return text
        plain = _COLOR.sub("", text)
        hidden = _joined([*(match.span() for match in self._whole.finditer(plain)), *self._parts(plain)])
        if not hidden:
            return text
        return _masked(text, hidden if plain == text else _spans_with_colors(text, hidden))

    def redact_error(self, error: Error) -> Error:
        """Hide secrets in what the error says, itself: whoever gets it later sees no more than a reader."""
        error.args = tuple(self.redact(one) if isinstance(one, str) else one for one in error.args)
        if isinstance(error, DeployError):
            error.message, error.got, error.hint = map(self.redact, (error.message, error.got, error.hint))
        return error

    def _hide(self, found: AbstractSet[str]) -> None:
        if found <= self._spellings:
            return
        self._spellings |= found
        longest_first = sorted(self._spellings, key=len, reverse=True)
        self._longest, self._all = len(longest_first[0]), "\0".join(longest_first)
        self._whole = re.compile("|".join(map(re.escape, longest_first)))

    def _parts(self, text: str) -> Iterator[Span]:
        cuts = _Cuts.of(text)
        yield from ((start, end) for start, end in cuts.middles(self._longest) if text[start:end] in self._all)
        for secret in self._spellings:
            if secret[:SHORTEST] in text:
                yield from (span for end in cuts.ends if (span := _head(secret, text, end)))
            if secret[-SHORTEST:] in text:
                yield from (span for start in cuts.starts if (span := _tail(secret, text, start)))


@dataclass(frozen=True, slots=True)
class _Cuts:
    """Where a text may have lost the rest of a secret, in order."""

    ends: Sequence[int]
    """Places that cut its end off."""
    starts: Sequence[int]
    """Places that cut its start off."""

    @classmethod
    def of(cls, text: str) -> _Cuts:
        ellipses, lines = list(_ELLIPSIS.finditer(text)), list(_LINE.finditer(text))
        before = {place for one in ellipses for place in (one.start(), one.start("dots"))}
        after = {one.end() for one in ellipses}
        return cls(
            ends=sorted(before | {one.end("shown") for one in lines if one["lead"] or one["closed"]}),
            starts=sorted(after | {one.start("shown") for one in lines if one["lead"] or one["opened"]}),
        )

    def middles(self, longest: int) -> Iterator[Span]:
        """Give what lies between two cuts, and could be what is left of a secret of this length."""
        for start in self.starts:
            first = bisect_left(self.ends, start + _MIDDLE)
            yield from ((start, end) for end in self.ends[first : first + 2] if end - start <= longest)


def _head(secret: str, text: str, end: int) -> Span | None:
    """Find the longest start of the secret that ends there."""
    start = text.find(secret[:SHORTEST], max(0, end - len(secret)), end)
    while start >= 0:
        if secret.startswith(text[start:end]):
            return start, end
        start = text.find(secret[:SHORTEST], start + 1, end)
    return None


def _tail(secret: str, text: str, start: int) -> Span | None:
    """Find the longest end of the secret that starts there."""
    last = secret[-SHORTEST:]
    found = text.rfind(last, start, start + len(secret))
    while found >= 0:
        end = found + len(last)
        if secret.endswith(text[start:end]):
            return start, end
        found = text.rfind(last, start, end - 1)
    return None


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _spans_with_colors(text: str, spans: list[Span]) -> list[Span]:
    """Say where the spans of the text without its colours are in the text itself."""
    places, done = list[int](), 0
    for color in _COLOR.finditer(text):
        places.extend(range(done, color.start()))
        done = color.end()
    places.extend(range(done, len(text)))
    return [(places[start], places[end - 1] + 1) for start, end in spans]


def _masked(text: str, spans: list[Span]) -> str:
    """Put the mask in place of each span, and keep the colours that begin or end in it."""
    pieces, done = list[str](), 0
    for start, end in spans:
        pieces += [text[done:start], MASK, *_COLOR.findall(text[start:end])]
        done = end
    return "".join([*pieces, text[done:]])
