from __future__ import annotations

import json

from deploy_plugin.sandbox import reserve
from tests.commands.command import Command
from tests.inner import Project
from tests.sandboxes import Sandboxes


def test_each_has_its_address_and_says_whether_it_is_live(sandboxes: Sandboxes, command: Command) -> None:
    assert command("targets") == 0
    assert [line.split() for line in command.out.splitlines()] == [
        ["staging", "elspeth@staging.example.com", "http://staging.example.com", "deploy.toml:10"],
        ["live", "elspeth@www.example.com", "http://www.example.com", "LIVE", "deploy.toml:12"],
    ]
    assert sandboxes.running == []


def test_sandboxes_are_targets_but_for_the_throwaway_ones(sandboxes: Sandboxes, command: Command) -> None:
    kept, throwaway = reserve("a"), reserve()
    command("targets", "--json")
    assert json.loads(command.out)[0] == {
        "name": "sandbox:a",
        "destination": kept.destination,
        "url": kept.url,
        "live": False,
        "named": "sandbox",
        "problem": None,
    }
    assert throwaway.name not in command.out
    assert sandboxes.running == []


def test_a_sandbox_that_is_not_there_yet_hides_no_other_target(
    sandboxes: Sandboxes, project: Project, command: Command
) -> None:
    project.write(
        "deploy.toml", "[app]\nname = 'a'\n[targets.b]\nhost = 'sandbox:b'\n[targets.c]\nhost = 'a@c.example'\n"
    )
    assert command("targets") == 0
    first, second = command.out.splitlines()
    assert "'sandbox:b' is no sandbox that is there" in first
    assert second.split() == ["c", "a@c.example", "http://c.example", "deploy.toml:5"]
    assert sandboxes.running == []


def test_where_none_has_a_name_it_says_what_to_do(sandboxes: Sandboxes, project: Project, command: Command) -> None:
    project.write("deploy.toml", "")
    assert command("targets") == 0
    assert command.out == "No target has a name here: name one in deploy.toml, or type [user@]host[:port].\n"
    assert sandboxes.running == []
