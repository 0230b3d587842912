"""What a release's record says of its tests."""

from __future__ import annotations

import pytest

from deploy_plugin.testing import FakeServer
from tests.commands.releases import deploy, ids, record, told
from tests.inner import Project


@pytest.mark.parametrize(
    ("tests", "arguments", "verified"),
    [
        ("def test_infra(): pass\n", (), True),
        ("def test_infra(): pass\n", ("infra_tests",), None),
        ("import pytest\ndef test_infra(): pytest.skip()\n", (), None),
        ("def test_infra(missing): pass\n", (), None),
    ],
    ids=["passed", "only those of the server", "skipped", "an error in a fixture"],
)
def test_the_record_says_whether_the_tests_passed(
    deployable: Project, server: FakeServer, tests: str, arguments: tuple[str, ...], *, verified: bool | None
) -> None:
    deployable.write("infra_tests/test_infra.py", tests)
    deployable.run("--deploy-to=staging", *arguments)
    assert record(server, ids(server)[0])["verified"] is verified


def test_what_is_known_of_a_release_stays_until_tests_say_otherwise(deployable: Project, server: FakeServer) -> None:
    deployable.write(".dockerignore", "*_tests\n")
    deploy(deployable, "one")
    (release,) = ids(server)
    deployable.run("--deploy-to=staging", "infra_tests")
    assert record(server, release)["verified"] is True
    deployable.write("infra_tests/test_infra.py", "def test_infra(): assert False\n")
    deployable.run("--deploy-to=staging")
    assert record(server, release)["verified"] is False


def test_a_release_that_was_taken_back_says_so(two: tuple[str, str], deployable: Project, server: FakeServer) -> None:
    deployable.write("infra_tests/test_infra.py", "def test_infra(): assert False\n")
    deployable.write("app.py", "print('three')\n")
    deployable.run("--deploy-to=staging", "--deploy-on-failure=rollback")
    (failed,) = {*ids(server)} - {*two}
    tried = record(server, failed)
    assert told(server) == two[1]
    assert tried["verified"] is False
    assert "@" in tried["taken_back"]["by"]
