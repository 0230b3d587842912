"""Visitors of the deployed site: so many requests a second, some of which write, and what became of each."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlencode, urlsplit

TIMEOUT = 30
"""Seconds after which a request that is not answered counts as failed."""
KINDS: Mapping[str, int] = {"health": 35, "page": 25, "static file": 25, "write": 15}
"""What is asked for, and how often among a hundred requests."""
NEW_CONNECTIONS = 0.5
"""The part of the requests that come over a connection of their own; the others share kept ones."""
THREADS, UPLOADS = 48, 3
"""How many requests, and how many uploads, are under way at any time at most."""
PIECES, PIECE = 25, 2_000
"""An upload: so many pieces of so many bytes, one after the other."""
PAUSE = 0.2
"""Seconds between two pieces."""
CLOSED = "the maintenance page"
"""What became of a request while the site was closed for a downtime."""
_TOKEN = "a" * 32
_FORM: Mapping[str, str] = {"Cookie": f"csrftoken={_TOKEN}", "Content-Type": "application/x-www-form-urlencoded"}
_Connection = http.client.HTTPConnection


@dataclass(frozen=True, slots=True)
class Request:
    """One that was made."""

    kind: str
    due: float
    """Seconds since the visitors came: when it was to be made, whether they were late or not."""
    took: float
    """Seconds from then until its whole answer was there."""
    failure: str
    """Empty where it was answered, as it should be."""


@dataclass
class Visitors:
    """Come while the block lasts. ``rate`` requests a second are due, however slowly the site answers."""

    url: str
    rate: float
    name: str
    """Makes what they write their own."""
    static: str = ""
    """The path of a static file; none is asked for where it is empty."""
    threads: int = THREADS
    uploads: int = UPLOADS
    requests: list[Request] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    """The texts that the site said it had taken."""

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._began = time.monotonic()
        work = [*((self._visit, number) for number in range(self.threads))]
        work += [(self._upload, number) for number in range(self.uploads)]
        self._threads = [threading.Thread(target=act, args=(number,), daemon=True) for act, number in work]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def now(self) -> float:
        """Seconds since they came."""
        return time.monotonic() - self._began

    @property
    def failures(self) -> Sequence[Request]:
        return [request for request in [*self.requests] if request.failure]

    def _visit(self, number: int) -> None:
        chance = random.Random(f"{self.name} {number}")  # noqa: S311 - to be the same again
        kinds = [kind for kind in KINDS if kind != "static file" or self.static]
        weights = [KINDS[kind] for kind in kinds]
        kept = self._connection()
        for count, due in enumerate(self._times(number)):
            (kind,) = chance.choices(kinds, weights)
            text = f"{self.name} {number}-{count}"
            if chance.random() < NEW_CONNECTIONS:
                own = self._connection()
                self._make(own, kind, text, due)
                own.close()
            else:
                self._make(kept, kind, text, due)
        kept.close()

    def _times(self, number: int) -> Iterator[float]:
        """Give the moments at which one of the threads has to ask, as they come."""
        due = number / self.rate
        while not self._over.wait(max(0.0, due - self.now)):
            yield due
            due += self.threads / self.rate

    def _make(self, connection: _Connection, kind: str, text: str, due: float) -> None:
        try:
            failure = self._ask(connection, kind, text)
        except (OSError, http.client.HTTPException) as error:
            failure = repr(error)
            connection.close()  # the next request opens it again
        self._note(kind, due, failure)

    def _ask(self, connection: _Connection, kind: str, text: str) -> str:
        if kind == "write":
            connection.request("POST", "/", _form(text), _FORM)
            return self._answer(connection, text)
        connection.request("GET", {"health": "/health", "page": "/", "static file": self.static}[kind])
        return _read(connection, http.HTTPStatus.OK)

    def _answer(self, connection: _Connection, text: str) -> str:
        failure = _read(connection, http.HTTPStatus.FOUND)
        if not failure:
            self.acknowledged.append(text)
        return failure

    def _upload(self, number: int) -> None:
        count = 0
        while not self._over.is_set():
            count += 1
            due, failure, connection = self.now, "", self._connection()
            try:
                failure = self._send_slowly(connection, f"{self.name} upload {number}-{count} ")
            except (OSError, http.client.HTTPException) as error:
                failure = repr(error)
                self._over.wait(PAUSE)
            connection.close()
            self._note("upload", due, failure)

    def _send_slowly(self, connection: _Connection, begin: str) -> str:
        text = begin + "x" * (PIECES * PIECE - len(begin))
        body = _form(text)
        connection.putrequest("POST", "/")
        for name, value in {**_FORM, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders()
        for begins in range(0, len(body), PIECE):
            connection.send(body[begins : begins + PIECE])
            time.sleep(PAUSE)
        return self._answer(connection, text)

    def _note(self, kind: str, due: float, failure: str) -> None:
        self.requests.append(Request(kind, due, self.now - due, failure))

    def _connection(self) -> _Connection:
        return _Connection(urlsplit(self.url).netloc, timeout=TIMEOUT)


def _form(text: str) -> bytes:
    return urlencode({"csrfmiddlewaretoken": _TOKEN, "text": text}).encode()


def _read(connection: _Connection, wanted: http.HTTPStatus) -> str:
    answer = connection.getresponse()
    answer.read()  # raises where it is not whole
    if answer.status == http.HTTPStatus.SERVICE_UNAVAILABLE and answer.headers["Retry-After"]:
        return CLOSED
    return "" if answer.status == wanted else f"status {answer.status}"
