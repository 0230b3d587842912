"""The project's documents, for tests that hold them to the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
DOCS = CHECKOUT / "docs"
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^\*\*`([^`]+)`\*\*\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Document:
    """A Markdown file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(CHECKOUT))

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """Every fenced block, with its language."""
        found = _BLOCK.findall(self.text)
        return [(language, re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)) for indent, language, body in found]

    @property
    def files(self) -> dict[str, str]:
        """Every file that is shown whole: a path in bold, and a block below it."""
        return dict(_FILE.findall(self.text))

    @property
    def prose(self) -> str:
        """All but the fenced blocks."""
        return _BLOCK.sub("", self.text)

    @property
    def code(self) -> set[str]:
        """What stands in backticks."""
        return set(_INLINE.findall(self.prose))

    @property
    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    @property
    def headings(self) -> list[str]:
        return _HEADING.findall(self.prose)

    @property
    def anchors(self) -> set[str]:
        """What a link to a heading is called, as GitHub makes it."""
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in self.headings}

    def section(self, heading: str) -> str:
        """Give what stands below a heading, down to the next one of its rank; empty where there is none."""
        start = re.search(rf"^(#+) {re.escape(heading)}$", self.text, re.MULTILINE)
        if not start:
            return ""
        rest = self.text[start.end() :]
        end = re.search(rf"^#{{1,{len(start[1])}}} ", rest, re.MULTILINE)
        return rest[: end.start()] if end else rest

    def rows(self, heading: str) -> set[str]:
        """Give the first cells of the tables below a heading, without their backticks."""
        cells = re.findall(r"^\| *([^|]*?) *\|", self.section(heading), re.MULTILINE)
        return {cell.strip("`*") for cell in cells}

    def commands(self, program: str) -> Iterator[str]:
        """Give every command line of this program, in a block or in backticks."""
        lines = [line for _, body in self.blocks for line in body.splitlines()]
        for line in [*lines, *self.code]:
            found = re.match(rf"(?:\$ )?(?:\w+=\S+ )*(?:\S*/)?({re.escape(program)}(?: .*)?)$", line.strip())
            if found:
                yield found[1].split(" && ")[0]


def every_document() -> list[Document]:
    top = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md"]
    return [Document(path) for path in [*top, *sorted(DOCS.rglob("*.md"))]]
