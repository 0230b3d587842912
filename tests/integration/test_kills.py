"""Ten deploys and a rollback that are killed while visitors write, one whose connection is cut, and what comes then.

docs/reliability.md tells of many more.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy_plugin.sandbox.inventory import container_name
from proofs.aims import LOOKS, ROLLBACK, Aim
from proofs.blows import Blows, Next
from proofs.faults import CUT_SSH
from proofs.site import Site, prepare, visited
from proofs.visitors import Visitors
from tests.integration.projects import Project
from tests.integration.servers import RealServer

KILLED, STOPPED = -9, 30
BEFORE_THE_SWITCH = [
    Aim("Build image", "between", "group"),
    Aim("Ship image", "within", "group", delay=0.3),
    Aim("Start the release", "after", "process"),
    Aim("Rehearse the migration", "within", "process", delay=1.0, migrates=True),
    Aim("Snapshot the database", "between", "group", migrates=True),
    Aim("Migrate", "within", "group", delay=0.5, migrates=True),
    Aim("Await health", "before", "process"),
    Aim("Switch", "before", "process"),
]
AFTER_IT = [Aim("Switch", "after", "group"), Aim("the tests", "before", "process")]


@pytest.fixture(scope="module")
def site(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Site:
    project = Project.copy_of_the_site(tmp_path_factory.mktemp("first") / "superlists")
    prepare(project, server.sandbox.name, drain=5)
    site = Site(project, server)
    site.deploy().require(0)
    return site


@pytest.fixture(scope="module")
def visitors(site: Site) -> Iterator[Visitors]:
    with visited(site, 20, "kills", threads=8, uploads=1) as visitors:
        yield visitors
    assert visitors.failures == []
    assert len(visitors.acknowledged) > len(BEFORE_THE_SWITCH)


@pytest.mark.parametrize("aim", [*BEFORE_THE_SWITCH, *AFTER_IT], ids=str)
def test_a_killed_deploy_loses_nothing_and_the_next_one_succeeds(site: Site, visitors: Visitors, aim: Aim) -> None:
    before = site.look(()).serves

    blow = Blows(site, visitors).strike(0, aim, Next(waits=False, same=True))

    assert blow, "it had ended before it was killed"
    assert blow.ended == KILLED
    assert blow.is_well, blow.said
    assert (blow.found.serves == before) == (aim in BEFORE_THE_SWITCH), blow


def test_a_rollback_that_is_killed_as_it_tries_the_release_leaves_no_copy_behind(
    site: Site, visitors: Visitors
) -> None:
    aim = Aim(LOOKS, "within", "process", delay=0.5, migrates=True, run=ROLLBACK)

    blow = Blows(site, visitors).strike(0, aim, Next(waits=False, same=True))

    assert blow, "it had ended before it was killed"
    assert blow.ended == KILLED
    assert blow.is_well, blow.said


def test_a_deploy_whose_connection_is_cut_as_it_migrates_loses_nothing(site: Site, visitors: Visitors) -> None:
    cut = ("docker", "exec", container_name(site.server.sandbox), "sh", "-c", CUT_SSH)
    aim = Aim("Migrate", "between", "command", migrates=True, command=cut, waits=True)

    blow = Blows(site, visitors).strike(0, aim, Next(same=True))

    assert blow, "it had ended before"
    assert blow.ended == STOPPED
    assert blow.is_well, blow.said
