"""A run that may close the site, as its user sees it: an inner pytest on a server that is a folder."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from deploy_plugin import downtime, trial
from deploy_plugin.proxy import upstreams
from deploy_plugin.proxy.upstreams import ProxyFolder
from deploy_plugin.testing import FakeServer
from tests.commands.command import Command
from tests.inner import DEPLOY_TOML, Project, said
from tests.site import Site

DEPLOY = ("--deploy-to=staging", "--deploy-downtime")
THROUGH_THE_DOOR = """
import os, urllib.request

def test_infra(deployment, base_url):
    assert base_url == deployment.url == deployment.door != deployment.target.url
    assert os.environ["TEST_SERVER"] == base_url.removeprefix("http://")
    assert urllib.request.urlopen(base_url, timeout=10).status == 200
"""
FAILS = THROUGH_THE_DOOR + "    assert False\n"
CHECK_PAGE = """
from pathlib import Path

def test_infra(deployment):
    assert Path(deployment.folder.home / "deploy/proxy/maintenance/superlists").exists()
"""


@pytest.fixture
def old(deployable: Project, server: FakeServer, site: Site) -> str:
    """The release that serves; the next one has a migration that it can't live with."""
    deployable.write("deploy.toml", f'{DEPLOY_TOML}\n[verify]\nexport_env = "TEST_SERVER"\n')
    assert deployable.run("--deploy-to=staging").ret == 0
    deployable.write("app.py", "print('two')\n")
    site.pending.append("lists.0003_drop")
    site.problems.append({"model": "lists.Item", "field": "text", "problem": "no such column: lists_item.text"})
    found = upstreams.told(server, "superlists")
    assert found
    return found


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


def page(server: FakeServer) -> Path:
    return Path(ProxyFolder(server.facts.home).page("superlists"))


def test_tests_that_pass_open_the_site_with_the_new_release(deployable: Project, server: FakeServer, old: str) -> None:
    deployable.write("infra_tests/test_infra.py", THROUGH_THE_DOOR)
    deployable.write("infra_tests/test_page.py", CHECK_PAGE)
    result = deployable.run(*DEPLOY)
    assert result.ret == 0, said(result)
    assert "not compatible (lists.Item.text: no such column: lists_item.text): with downtime" in said(result)
    assert "Visitors get the maintenance page; the tests reach the site at http://127.0.0.1:" in said(result)
    assert upstreams.told(server, "superlists") != old
    assert not page(server).exists()


@pytest.mark.parametrize(("on_failure", "goes_back"), [("rollback", True), ("keep", False)])
def test_tests_that_fail_do_as_the_target_says(
    deployable: Project, server: FakeServer, old: str, on_failure: str, *, goes_back: bool
) -> None:
    deployable.write("infra_tests/test_infra.py", FAILS)
    result = deployable.run(*DEPLOY, f"--deploy-on-failure={on_failure}")
    assert result.ret == 1
    assert (upstreams.told(server, "superlists") == old) is goes_back
    assert ("with its data as in the snapshot" in said(result)) is goes_back
    assert not page(server).exists()


def test_a_step_that_fails_opens_the_site_again(deployable: Project, server: FakeServer, site: Site, old: str) -> None:
    site.migrate_fails = "no such table"
    result = deployable.run(*DEPLOY)
    assert result.ret == 30
    assert upstreams.told(server, "superlists") == old
    assert not page(server).exists()


def test_where_going_back_fails_the_site_stays_closed_and_exit_31_says_what_to_do(
    deployable: Project, server: FakeServer, site: Site, old: str
) -> None:
    server.install("docker", f'[ "$1" != start ] || {{ echo "no {old}" >&2; exit 1; }}')
    site.migrate_fails = "no such table"
    result = deployable.run(*DEPLOY)
    assert result.ret == 31
    for part in ("no such table", f"{old} could not be started", "pytest-deploy restore staging db-"):
        assert part in said(result)
    assert page(server).exists()


def test_where_no_downtime_is_needed_the_site_stays_open_and_the_run_says_so(
    deployable: Project, server: FakeServer, site: Site, old: str
) -> None:
    site.problems.clear()
    result = deployable.run(*DEPLOY)
    assert result.ret == 0
    assert "No downtime was needed: the site stayed open." in said(result)
    assert upstreams.told(server, "superlists") != old


def test_without_the_option_nothing_is_closed(deployable: Project, server: FakeServer, old: str) -> None:
    assert deployable.run("--deploy-to=staging").ret == 30
    assert upstreams.told(server, "superlists") == old


@pytest.mark.usefixtures("old")
def test_a_plan_can_not_know_whether_one_is_needed(deployable: Project, server: FakeServer) -> None:
    result = deployable.run(*DEPLOY, "--deploy-plan")
    assert "skipped  Close the site: not known yet" in said(result)
    assert not page(server).exists()


def leave_closed(server: FakeServer, old: str) -> None:
    """Leave what a run leaves that is killed in a downtime."""
    folder = server.home / "deploy/superlists"
    lines = f"by=mira@laptop\ntried=new\nserving={old}\nupstream={old}:8888\nsince=1795000000\n"
    (folder / "downtime").write_text(
        f"{lines}snapshot={folder}/snapshots/db-new.sqlite3\nport=8888\nhealth=/\nhost=x\n"
    )
    page(server).write_text("Back in a moment")


def test_the_next_deploy_ends_what_a_killed_run_left(deployable: Project, server: FakeServer, old: str) -> None:
    leave_closed(server, old)
    result = deployable.run(*DEPLOY)
    assert result.ret == 0, said(result)
    assert "End a downtime: one that another run left" in said(result)
    assert not page(server).exists()


def test_on_live_it_is_ended_before_the_tests_are_tried(
    deployable: Project, server: FakeServer, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed_when_tried = []
    monkeypatch.setattr(trial, "require_fair_tests", lambda *_: closed_when_tried.append(page(server).exists()))
    for name in ("infra", "functional"):
        marked = "import pytest\n@pytest.mark.live_safe\ndef test_it(): pass\n"
        deployable.write(f"{name}_tests/test_{name}.py", marked)
    toml = (deployable.pytester.path / "deploy.toml").read_text()
    deployable.write("deploy.toml", toml.replace("[targets.staging]\n", "[targets.staging]\nlive = true\n"))
    leave_closed(server, old)
    result = deployable.run(*DEPLOY)
    assert "rescued  End a downtime" in said(result)
    assert closed_when_tried == [False]
    assert not page(server).exists()


def test_status_says_that_it_is_closed_since_when_and_by_whom(server: FakeServer, old: str, command: Command) -> None:
    leave_closed(server, old)
    for name in ("cut", "df", "du"):
        server.install(name, f'exec {shutil.which(name)} "$@"')
    assert command("status", "staging") == 30
    assert "the maintenance page is up since 2026-11-18 11:06:40 UTC, for new, by mira@laptop" in command.out


def test_a_restore_opens_a_site_that_was_left_closed(server: FakeServer, old: str, command: Command) -> None:
    leave_closed(server, old)
    folder = server.home / "deploy/superlists"
    (folder / "snapshots").mkdir(exist_ok=True)
    (folder / "snapshots/db-good.sqlite3").write_bytes(b"good rows")
    digest = hashlib.sha256(b"good rows").hexdigest()
    (folder / "snapshots/db-good.sqlite3.sha256").write_text(f"{digest}  db-good.sqlite3\n")
    assert command("restore", "staging", "good", "--yes") == 0, command.err
    assert (folder / "data/db.sqlite3").read_bytes() == b"good rows"
    assert upstreams.told(server, "superlists") == old
    assert downtime.look(server, "superlists") is None


def test_a_site_that_is_closed_is_not_rolled_back_and_it_says_what_opens_it(
    server: FakeServer, old: str, command: Command
) -> None:
    leave_closed(server, old)
    server.journal.clear()
    assert command("rollback", "staging", "--yes") == 30
    assert "The site of superlists is closed: the maintenance page is up since 2026-11-18 11:06:40 UTC" in command.err
    assert "pytest --deploy-to=staging" in command.err
    assert "pytest-deploy restore staging SNAPSHOT" in command.err
    assert page(server).exists()
    assert upstreams.told(server, "superlists") == old
    assert server.journal == []
