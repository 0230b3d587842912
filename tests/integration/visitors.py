"""Visitors of the deployed site, who write, and remember what was acknowledged."""

from __future__ import annotations

import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar

from tests.integration.meanwhile import meanwhile


@dataclass
class Visitor:
    """Makes lists, one after the other."""

    url: str
    acknowledged: list[str] = field(default_factory=list)
    """The texts whose page was shown afterwards."""
    refused: list[str] = field(default_factory=list)
    """What happened instead."""
    _browser: urllib.request.OpenerDirector = field(init=False)

    def __post_init__(self) -> None:
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def add(self, text: str, path: str = "/") -> tuple[str, str]:
        """Type a text into the box of a page, and give the page that comes then: its address and what it says."""
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', self.read(path))
        assert token
        form = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], "text": text}).encode()
        with self._browser.open(self.url + path, form, timeout=30) as answer:
            said = str(answer.read().decode())
            assert text in said
            return urllib.parse.urlsplit(answer.url).path, said

    def read(self, path: str) -> str:
        with self._browser.open(self.url + path, timeout=30) as answer:
            return str(answer.read().decode())

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """Write as fast as the site answers, until the block ends."""

        def write(over: threading.Event) -> None:
            while not over.is_set():
                text = f"{name} {len(self.acknowledged) + len(self.refused)}"
                try:
                    self.add(text)
                except (OSError, AssertionError) as error:
                    self.refused.append(f"{text}: {error}")
                else:
                    self.acknowledged.append(text)

        with meanwhile(write):
            yield
