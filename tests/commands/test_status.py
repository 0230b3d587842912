from __future__ import annotations

import json
from typing import Any, cast

import pytest

from deploy_plugin.errors import Unreachable
from deploy_plugin.session import Session
from deploy_plugin.testing import FakeServer
from tests.commands.command import Command
from tests.inner import Project, Untouchable
from tests.site import Site


class Gone(Untouchable):
    """A server that does not answer."""

    def __getattr__(self, name: str) -> Any:
        raise Unreachable("elspeth@www.example.com can't be reached.", hint="Check the host.")


def seen(command: Command, *names: str) -> list[dict[str, Any]]:
    command("status", *names, "--json")
    return cast("list[dict[str, Any]]", json.loads(command.out))


def test_it_says_what_serves_and_how_it_does(deployed: FakeServer, command: Command) -> None:
    assert command("status", "staging") == 0, command.out
    (one,) = seen(command, "staging")
    release = one["release"]
    assert (one["app"], one["state"], one["healthy"], one["error"]) == ("superlists", "running", True, None)
    assert one["container"] == f"superlists-{release}"
    assert one["since"] == one["records"][0]["deployed"]
    assert one["disk_used"] > 0
    assert one["disk_free"] > one["disk_used"] > one["disk_data"] > 0
    assert one["disk_snapshots"] is None
    assert one["disk_images"] > 0
    assert deployed.engine.container(one["container"])


def test_it_changes_nothing(deployed: FakeServer, command: Command) -> None:
    deployed.journal.clear()
    command("status", "staging")
    assert deployed.journal == []


def test_people_read_it_as_lines(deployed: FakeServer, command: Command) -> None:
    (one,) = seen(command, "staging")
    command("status", "staging")
    lines = [line.split(maxsplit=1) for line in command.out.splitlines()]
    assert lines[0] == ["staging:", "superlists, http://staging.example.com"]
    assert ["server", "elspeth@staging.example.com"] in lines
    assert [word for word, _ in lines[1:]] == ["server", "release", "image", "container", "disk", "records"]
    assert f"superlists-{one['release']}: running, healthy" in command.out
    assert deployed.journal


def test_one_that_is_not_well_is_said_and_is_exit_30(deployed: FakeServer, site: Site, command: Command) -> None:
    site.status = 500
    assert command("status", "staging") == 30
    assert "running, not healthy" in command.out
    assert deployed.journal


def test_one_that_stopped_is_said(deployed: FakeServer, command: Command) -> None:
    deployed.engine.stop(seen(command, "staging")[0]["container"])
    assert command("status", "staging") == 30
    assert "exited, not healthy" in command.out


def test_where_nothing_serves_it_says_what_to_do(deployable: Project, command: Command) -> None:
    assert command("status", "staging") == 30
    assert "No release of superlists serves on staging.\n  Deploy first: pytest --deploy-to=staging" in command.out
    assert deployable.connected == []


def test_one_that_can_not_be_reached_hides_no_other_and_decides_the_exit_code(
    deployed: FakeServer, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "connect", lambda session, _hooks, **_: Gone() if session.target.live else deployed)
    assert command("status", "live", "nosuch", "staging") == 30
    gone, unknown, well = command.out.split("\n\n")
    assert gone.startswith("live (LIVE): superlists")
    assert "can't be reached.\n  Check the host." in gone
    assert "unknown target 'nosuch'" in unknown
    assert "running, healthy" in well


def test_a_record_that_is_none_is_left_out(deployed: FakeServer, command: Command) -> None:
    (deployed.home / "deploy" / "superlists" / "releases" / "20990101-000000-abcdef0.json").write_text("half a rec")
    (one,) = seen(command, "staging")
    assert [record["release"] for record in one["records"]] == [one["release"]]
