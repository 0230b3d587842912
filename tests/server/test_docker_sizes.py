"""Which line of an image's history is which layer."""

from __future__ import annotations

import pytest

from deploy_plugin.server.answers import sizes as sizes_of

CLASSIC = (
    (44, "/bin/sh -c #(nop) COPY dir:1 in / "),
    (0, '/bin/sh -c #(nop)  CMD ["gunicorn"]'),
    (0, "/bin/sh -c #(nop)  USER 1234:1234"),
    (0, "/bin/sh -c #(nop) WORKDIR /app"),
    (0, "/bin/sh -c touch -d @0 /app"),
    (25, "/bin/sh -c #(nop) COPY dir:2 in / "),
    (0, "/bin/sh -c #(nop)  ENV PATH=/venv/bin"),
    (82, ""),
)
BUILDKIT = (
    (44, "COPY src/ ./ # buildkit"),
    (7, "RUN |1 BASE=x /bin/sh -c pip install django # buildkit"),
    (0, "WORKDIR /app"),
    (0, "ENV A=1"),
    (0, "EXPOSE map[8888/tcp:{}]"),
    (82, "/bin/sh -c #(nop) ADD file:1 in / "),
)


@pytest.mark.parametrize(
    ("history", "count", "sizes"),
    [
        (CLASSIC, 4, [82, 25, 0, 44]),
        (CLASSIC, 5, [82, 25, 0, 0, 44]),
        (BUILDKIT, 3, [82, 7, 44]),
        (BUILDKIT, 4, [82, 0, 7, 44]),
        (BUILDKIT, 5, []),
        ((), 0, []),
    ],
)
def test_a_line_that_made_an_empty_layer_is_told_from_one_that_made_none(
    history: tuple[tuple[int, str], ...], count: int, sizes: list[int]
) -> None:
    lines = [{"Size": size, "CreatedBy": made_by} for size, made_by in history]
    assert list(sizes_of(lines, count)) == sizes
