"""Which release is the one before."""

from __future__ import annotations

import pytest

from deploy_plugin import past
from deploy_plugin.past import Past


def of(release: str, *, verified: bool | None = True, gone: str = "") -> Past:
    return Past({"release": release, "verified": verified}, gone)


@pytest.mark.parametrize(
    ("newest_first", "chosen"),
    [
        ([of("4"), of("3"), of("2"), of("1")], "2"),
        ([of("3"), of("2", verified=False), of("1")], "1"),
        ([of("3"), of("2", verified=None), of("1")], "1"),
        ([of("3"), of("2", verified=None), of("1", verified=None)], "2"),
        ([of("3"), of("2", verified=False), of("1", verified=None)], "1"),
        ([of("3"), of("2", verified=False), of("1", gone="its image is gone")], "2"),
        ([of("3"), of("2", gone="its image is gone")], None),
        ([of("4"), of("3")], None),
    ],
)
def test_the_one_before_is_the_newest_older_one_that_passed_its_tests(
    newest_first: list[Past], chosen: str | None
) -> None:
    found = past.before(newest_first, "3")
    assert (found and found.id) == chosen
