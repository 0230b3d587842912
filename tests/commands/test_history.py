"""What was deployed to a server, and gone back to: told, the newest first."""

from __future__ import annotations

import json

import pytest

from deploy_plugin.testing import FakeServer
from tests.commands.command import Command
from tests.commands.elsewhere import TOML
from tests.commands.releases import ids, record
from tests.inner import Project
from tests.site import install_docker


def test_history_is_newest_first_with_rollbacks_among_the_deploys(
    two: tuple[str, str], server: FakeServer, command: Command
) -> None:
    old, new = two
    assert command("rollback", "staging") == 0
    server.journal.clear()
    assert command("history", "staging", "--json") == 0
    events = json.loads(command.out)
    assert [(one["what"], one["release"], one["serves"]) for one in events] == [
        ("rollback", old, True),
        ("deploy", new, False),
        ("deploy", old, True),
    ]
    assert events[0]["instead_of"] == new
    assert [one["verified"] for one in events] == [True, True, True]
    assert [one["gone"] for one in events] == [None, None, None]

    assert command("history", "staging") == 0
    lines = command.out.splitlines()
    assert lines[0].split()[3:5] == ["rollback", old]
    assert lines[0].endswith(f"verified  serves  in place of {new}")
    assert server.journal == []


def test_a_takeover_is_told_from_a_deploy_and_so_is_going_back_to_it(
    old: FakeServer, command: Command, project: Project
) -> None:
    assert command("adopt", "staging", "--yes") == 0
    install_docker(old)
    project.write("deploy.toml", TOML.replace("[app]\n", '[app]\nproxy = "none"\n'))
    assert project.run("--deploy-to=staging").ret == 0
    adopted, _ = ids(old)
    assert command("rollback", "staging", "--yes") == 0, command.err
    assert f"back to {adopted}, taken over " in command.out
    assert command("history", "staging", "--json") == 0
    assert [(one["what"], one["release"] == adopted) for one in json.loads(command.out)] == [
        ("rollback", True),
        ("deploy", False),
        ("adopt", True),
    ]


def test_history_says_what_can_not_be_gone_back_to(two: tuple[str, str], server: FakeServer, command: Command) -> None:
    old, _ = two
    server.engine.remove(f"superlists-{old}")
    server.engine.remove_image(record(server, old)["image"])
    command("history", "staging")
    assert command.out.splitlines()[1].endswith("its image is gone")


@pytest.mark.usefixtures("deployable")
def test_where_nothing_was_deployed_history_says_so(command: Command) -> None:
    assert command("history", "staging") == 0
    assert command.out == "No release of superlists was ever deployed there.\n"
