"""The book's story of the unique constraint, told on a staging and a live server: ``make story`` lets you watch."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration import releases
from tests.integration.conftest import booted
from tests.integration.projects import Project, Run
from tests.integration.releases import rows
from tests.integration.servers import RealServer
from tests.integration.visitors import Visitor

TARGETS = """
[targets.live]
host = "{live}"
live = true
"""
A_TEST = """
import urllib.request
import pytest

@pytest.mark.live_safe
def test_the_site_answers(deployment):
    with urllib.request.urlopen(deployment.url + "/health") as answer:
        assert answer.read() == b"ok\\n"
"""
ITEMS = "SELECT list_id, text FROM lists_item ORDER BY id"
TOLD = (
    "Rehearse",
    "Snapshot",
    "Migrate:",
    "Switch",
    "fails on",
    "stand in",
    "keys ",
    "Ways out",
    " passed",
    "lists_item",
)


@pytest.fixture(scope="module")
def staging() -> Iterator[RealServer]:
    with booted() as server:
        yield server


@pytest.fixture(scope="module")
def live() -> Iterator[RealServer]:
    with booted() as server:
        yield server


@dataclass
class Story:
    project: Project

    def tell(self, text: str) -> None:
        sys.stdout.write(f"\n{textwrap.fill(text, 110)}\n")

    def deploy(self, *arguments: str) -> Run:
        sys.stdout.write(f"\n    $ pytest {' '.join(arguments)}\n")
        run = self.project.pytest(*arguments)
        for line in run.output.splitlines():
            if any(word in line for word in TOLD):
                sys.stdout.write(f"    {line[:120]}\n")
        return run


@pytest.fixture
def story(project: Project, staging: RealServer, live: RealServer) -> Story:
    project.edit("deploy.toml", 'host = "sandbox:staging"', f'host = "{staging.target}"')
    text = (project.folder / "deploy.toml").read_text(encoding="utf-8")
    project.write("deploy.toml", text + TARGETS.format(live=live.target))
    project.write("infra_tests/test_it.py", A_TEST)
    return Story(project)


def test_the_unique_constraint_meets_the_data_of_real_users(
    story: Story, staging: RealServer, live: RealServer
) -> None:
    story.tell("A release is live whose lists may hold the same item twice.")
    releases.without_constraint(story.project)
    for arguments in (["--deploy-to=staging"], ["--deploy-to=live", "--deploy-first"]):
        run = story.deploy(*arguments)
        assert run.exit_code == 0, run.output

    story.tell("Edith writes down her wishes, and some of them twice. A tester did the same on staging.")
    for server in (staging, live):
        edith = Visitor(server.sandbox.url)
        page, _ = edith.add("peacock feathers")
        for wish in ("milk", "peacock feathers", "milk", "milk"):
            edith.add(wish, page)
        other, _ = edith.add("milk")
        assert other != page
    before = rows(live, ITEMS)

    story.tell("The next release has a unique constraint. Every test passes here, where nobody wrote anything twice.")
    releases.with_constraint(story.project)
    run = story.deploy("--deploy-to=staging")

    story.tell(
        "But staging has such rows. The rehearsal on a copy of them stops the deploy, and the old release serves."
    )
    assert run.exit_code == 30
    assert "The migration lists.0003_item_once_per_list fails on a copy of the data" in run.output
    assert "5 rows of lists_item stand in its way, in 2 places (list_id, text):" in run.output
    assert "keys 1, 3" in run.output
    assert "keys 2, 4, 5" in run.output
    assert staging.status("/health") == 200
    assert rows(staging, ITEMS) == before

    story.tell("So a data migration goes before the constraint: it gives each duplicate a name of its own.")
    releases.put_right(story.project)
    run = story.deploy("--deploy-to=staging")
    assert run.exit_code == 0, run.output
    story.tell("Staging passes, and its tests do. Now live.")
    run = story.deploy("--deploy-to=live")
    assert run.exit_code == 0, run.output

    story.tell("Edith finds all that she wrote, and nothing twice.")
    after = rows(live, ITEMS)
    for (listed, text), (number, wish) in zip(after, before, strict=True):
        assert number == listed
        assert text.startswith(wish)
        sys.stdout.write(f"    list {number}: {wish:20} {text}\n")
    assert len({(number, text) for number, text in after}) == len(after) == len(before)
    _, said = Visitor(live.sandbox.url).add("milk", f"/lists/{before[0][0]}/")
    assert "This is already in your list" in said
    assert rows(live, ITEMS) == after
