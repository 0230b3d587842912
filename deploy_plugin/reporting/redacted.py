"""What pytest hands round and writes, without secrets: reports, streams, lines of a log."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO, cast

from deploy_plugin.redaction import Redactor


def redact_within(value: object, redactor: Redactor) -> Any:  # noqa: ANN401 - what came, without secrets
    """Redact all text in a report, a traceback's representation, or a plain container; in place, where that can be."""
    if isinstance(value, str):
        return redactor.redact(value)
    if type(value) is tuple:
        return tuple(redact_within(one, redactor) for one in value)
    if isinstance(value, list):
        value[:] = [redact_within(one, redactor) for one in value]
    elif isinstance(value, dict):
        value.update({key: redact_within(one, redactor) for key, one in value.items()})
    elif hasattr(value, "toterminal"):  # as pytest itself tells them
        redact_attributes(value, redactor)
    return value


def redact_attributes(thing: object, redactor: Redactor) -> None:
    for name, value in list(vars(thing).items()):
        redacted = redact_within(value, redactor)
        if redacted is not value:
            setattr(thing, name, redacted)


def redact_file(path: Path, redactor: Redactor) -> None:
    with suppress(FileNotFoundError):
        text = path.read_text(encoding="utf-8")
        redacted = redactor.redact(text)
        if redacted != text:
            path.write_text(redacted, encoding="utf-8")


class RedactedStream:
    """A text stream that lets no secret through; in all else it is the stream behind it."""

    def __init__(self, stream: TextIO, redactor: Redactor) -> None:
        self._stream = stream
        self._redactor = redactor

    @classmethod
    def over(cls, stream: TextIO, redactor: Redactor) -> TextIO:
        return cast("TextIO", cls(stream, redactor))

    def write(self, text: str) -> int:
        self._stream.write(self._redactor.redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a stream has
        return getattr(self._stream, name)


class RedactedFormatter(logging.Formatter):
    """Formats as another one does, tracebacks included, without secrets."""

    def __init__(self, formatter: logging.Formatter | None, redactor: Redactor) -> None:
        super().__init__()
        self._formatter = formatter or logging.Formatter()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(self._formatter.format(record))
