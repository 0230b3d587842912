"""Rehearse, snapshot: what a migration would do is known before anything changes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.containers import ONE_OFF, ROLE, Containers
from deploy_plugin.database import programs
from deploy_plugin.database.migrations import Migrations
from deploy_plugin.downtime import Downtime
from deploy_plugin.errors import StepFailed, Unreachable
from deploy_plugin.health import Probe
from deploy_plugin.models import App, AppFolder, Release
from deploy_plugin.proxy import upstreams
from deploy_plugin.server.engine import ContainerSpec, Finished
from deploy_plugin.steps.base import Step
from deploy_plugin.steps.migrate import Migrate
from deploy_plugin.steps.rehearse import Rehearse
from deploy_plugin.steps.snapshot import TakeSnapshot
from deploy_plugin.testing import FakeServer
from tests.site import TARGET, Site, running, there

OLD = "superlists-old"
NEW = "superlists-20261124-031205-1a2b3c4"
WAY_OUT = "Ways out: a data migration before it, that puts these rows right"
PROBLEM = {"model": "lists.Item", "field": "text", "problem": "no such column: lists_item.text"}
DUPLICATES = {
    "migration": "lists.0003_once",
    "kind": "IntegrityError",
    "message": "UNIQUE constraint failed: lists_item.list_id, lists_item.text",
    "place": "schema.py:1",
    "table": "lists_item",
    "columns": ["list_id", "text"],
    "groups": [{"keys": ["7", "9"]}, {"keys": ["8", "10", "11"]}],
    "rows": 7,
    "sets": 3,
    "hides": True,
}


@dataclass
class Deploy:
    """A new release with two migrations, where an old one serves that has rows."""

    server: FakeServer
    site: Site
    containers: Containers
    previous: Containers | None
    ran: list[ContainerSpec] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server.engine.command = self._command

    @property
    def migrations(self) -> Migrations:
        return Migrations(self.containers)

    @property
    def rehearse(self) -> Rehearse:
        return Rehearse(self.migrations, lambda _server: self.previous, Probe("/health", TARGET.netloc, 8888))

    @property
    def database(self) -> Path:
        return Path(self.containers.folder.data / "db.sqlite3")

    def refused(self) -> StepFailed:
        """The rehearsal's refusal; all that was there is there as before, and nothing else."""
        before, content = there(self.server), self.database.read_bytes()
        with pytest.raises(StepFailed) as caught:
            self.rehearse.apply(self.server)
        assert there(self.server) == before - {NEW}
        assert self.database.read_bytes() == content
        assert not Path(self.containers.folder.rehearsal).exists()
        assert not Path(self.containers.folder.snapshots).exists()
        return caught.value

    def _command(self, spec: ContainerSpec, command: Sequence[str]) -> Finished:
        self.ran.append(spec)
        return self.site.manage(spec, command)


@pytest.fixture(params=[True, False], ids=["proxied", "published"])
def deploy(server: FakeServer, app: App, site: Site, request: pytest.FixtureRequest) -> Deploy:
    server.engine.add_image("superlists:abc")
    release = Release("20261124-031205-1a2b3c4", "1a2b3c4d", "superlists:abc")
    folder = AppFolder(PurePosixPath(server.home), app.name)
    app = replace(app, proxied=request.param, volumes={"media": PurePosixPath("/media")})
    new = Containers(app, TARGET, folder, (1000, 1000), release, {"COLOUR": "new"})
    old = replace(new, release=replace(release, id="old"), settings={"COLOUR": "old"})
    for path in new.mounts:
        Path(path).mkdir(parents=True)
    Path(folder.data / "db.sqlite3").write_bytes(b"rows")
    server.engine.ensure_network("deploy")
    server.engine.start(old.serving)
    if request.param:
        upstreams.tell(server, app.name, OLD, 8888)
        server.engine.start(new.serving)
    return Deploy(server, site, new, old)


def test_a_migration_of_no_rows_needs_no_rehearsal(deploy: Deploy) -> None:
    deploy.database.write_bytes(b"")
    assert deploy.rehearse.check(deploy.server) is None
    assert TakeSnapshot(deploy.migrations).check(deploy.server) is None


def test_without_a_migration_nothing_is_rehearsed_or_copied(deploy: Deploy) -> None:
    deploy.site.pending.clear()
    assert deploy.rehearse.check(deploy.server) is None
    assert TakeSnapshot(deploy.migrations).check(deploy.server) is None


def test_it_says_what_would_be_applied_how_long_that_takes_and_what_becomes_of_the_rows(deploy: Deploy) -> None:
    deploy.site.rehearsal = {"before": {"lists_item": 3, "gone": 1}, "after": {"lists_item": 4, "new": 0}}
    assert str(deploy.rehearse.check(deploy.server)).endswith("not applied yet, and there is data")
    assert deploy.rehearse.apply(deploy.server).splitlines() == [
        "lists.0001_initial in 0.25 s, lists.0002_item in 0.25 s; the write lock is held 0.25 s at most",
        "gone: 1 rows before, no such table after",
        "lists_item: 3 rows before, 4 rows after",
        "new: no such table before, 0 rows after",
    ]


def test_it_works_on_a_copy_without_network_and_reads_what_visitors_sent(deploy: Deploy) -> None:
    deploy.rehearse.apply(deploy.server)
    folder = deploy.containers.folder
    copied, rehearsed, tried = [
        spec
        for spec in deploy.ran
        if (spec.name.startswith("superlists-") and spec.reads) or spec.name.endswith("-snapshot")
    ]
    assert copied.mounts == {folder.data: PurePosixPath("/source"), folder.rehearsal: PurePosixPath("/copies")}
    for spec in (rehearsed, tried):
        assert spec.mounts == {folder.rehearsal: PurePosixPath("/data")}
        assert spec.reads == {folder.volume("media"): PurePosixPath("/media")}
        assert spec.labels[ROLE] == ONE_OFF
    assert {spec.network for spec in (copied, rehearsed, tried)} == {"none"}
    assert (rehearsed.env["COLOUR"], tried.env["COLOUR"]) == ("new", "old")
    assert not Path(folder.rehearsal).exists()
    assert running(deploy.server) == {OLD}


def test_duplicates_stop_it_and_are_named_by_their_keys_with_the_ways_out(deploy: Deploy) -> None:
    deploy.site.rehearsal = {"error": DUPLICATES}
    error = deploy.refused()
    assert str(error).splitlines() == [
        "The migration lists.0003_once fails on a copy of the data, so nothing was changed.",
        "    IntegrityError: UNIQUE constraint failed: lists_item.list_id, lists_item.text",
        "    7 rows of lists_item stand in its way, in 3 places (list_id, text):",
        "      keys 7, 9",
        "      keys 8, 10, 11",
        "      and 1 more places",
        "    Their values are shown with -v.",
        f"{WAY_OUT}; or, where the data may go: pytest-deploy reset-db staging.",
    ]


def test_a_live_target_is_not_offered_to_lose_its_data(deploy: Deploy) -> None:
    deploy.containers = replace(deploy.containers, target=replace(TARGET, live=True))
    deploy.site.rehearsal = {"error": DUPLICATES}
    assert deploy.refused().hint == f"{WAY_OUT}."


def test_what_the_rows_hold_is_asked_for_and_shown_only_where_the_user_wants_it(deploy: Deploy) -> None:
    deploy.site.rehearsal = {"error": {**DUPLICATES, "groups": [{"keys": ["7"], "values": {"text": "milk"}}]}}
    deploy.refused()
    assert all("DEPLOY_SHOW_VALUES" not in spec.env for spec in deploy.ran)
    deploy.containers = replace(deploy.containers, target=replace(TARGET, show_values=True))
    assert "  key 7: text = 'milk'" in deploy.refused().got
    assert [spec.name for spec in deploy.ran if "DEPLOY_SHOW_VALUES" in spec.env] == [f"{NEW}-shell-rehearsal"]


def test_an_error_whose_words_may_quote_a_row_is_told_by_its_place(deploy: Deploy) -> None:
    said = {"migration": "lists.0003_more", "kind": "ValueError", "message": "", "place": "0003_more.py:9"}
    deploy.site.rehearsal = {"error": said}
    error = deploy.refused()
    assert error.got == "ValueError: its words may hold what a row does: they are shown with -v. At 0003_more.py:9"
    assert error.hint == "Mend the migration, then deploy again."


def test_a_migration_that_locks_longer_than_writers_wait_is_refused(deploy: Deploy) -> None:
    deploy.site.rehearsal = {"patience": 0.1}
    error = deploy.refused()
    assert "holds the write lock for 0.2 s" in error.message or "holds the write lock for 0.3 s" in error.message
    assert "wait no longer than 0.1 s" in error.message
    assert "timeout in DATABASES" in error.hint


def test_the_writers_that_wait_are_those_of_the_release_that_serves(deploy: Deploy) -> None:
    deploy.site.patience = 0.2
    assert "wait no longer than 0.2 s" in deploy.refused().message


def test_what_the_release_that_serves_can_not_live_with_is_named(deploy: Deploy) -> None:
    deploy.site.problems = [PROBLEM, {**PROBLEM, "field": ""}]
    error = deploy.refused()
    assert "--deploy-downtime" in error.hint
    assert error.message.startswith("old, which serves, can't live with the new schema")
    assert error.got.splitlines() == [
        "lists.Item.text: no such column: lists_item.text",
        "lists.Item: no such column: lists_item.text",
    ]


@pytest.mark.parametrize("deploy", [True], indirect=True, ids=["proxied"])
@pytest.mark.parametrize(
    ("patience", "problems", "reason"),
    [
        (5.0, [PROBLEM], "not compatible (lists.Item.text: no such column: lists_item.text): with downtime"),
        (0.2, [], "the write lock is held for 0.2 s: with downtime"),
    ],
)
def test_where_a_downtime_is_allowed_it_goes_on_and_says_why_one_is_needed(
    deploy: Deploy, patience: float, problems: list[dict[str, str]], reason: str
) -> None:
    deploy.site.patience, deploy.site.problems = patience, problems
    rehearse = replace(deploy.rehearse, downtime=Downtime(allowed=True))
    assert rehearse.apply(deploy.server).splitlines()[0] == reason
    assert rehearse.downtime.reason == reason.removesuffix(": with downtime")


def test_where_none_is_needed_the_site_stays_open(deploy: Deploy) -> None:
    rehearse = replace(deploy.rehearse, downtime=Downtime(allowed=True))
    assert "downtime" not in rehearse.apply(deploy.server)
    assert not rehearse.downtime.reason


@pytest.mark.parametrize("deploy", [False], indirect=True, ids=["published"])
def test_without_a_proxy_there_is_no_downtime(deploy: Deploy) -> None:
    deploy.site.problems = [PROBLEM]
    rehearse = replace(deploy.rehearse, downtime=Downtime(allowed=True))
    with pytest.raises(StepFailed, match=r"without a proxy nobody keeps visitors out") as caught:
        rehearse.apply(deploy.server)
    assert "Split the change in two releases" in caught.value.hint
    assert not Path(deploy.containers.folder.rehearsal).exists()


def test_a_release_that_does_not_answer_on_the_new_schema_can_not_live_with_it(deploy: Deploy) -> None:
    deploy.server.engine.dies("superlists-old-compatibility", log="no such table")
    error = deploy.refused()
    assert error.got.startswith("its health path: The container superlists-old-compatibility ended with exit code 1")


def test_a_connection_that_breaks_meanwhile_is_told_as_that(deploy: Deploy) -> None:
    deploy.server.engine.fail("start superlists-old-compatibility", Unreachable("It broke."))
    with pytest.raises(Unreachable):
        deploy.rehearse.apply(deploy.server)


def test_where_nothing_serves_nobody_has_to_live_with_the_new_schema(deploy: Deploy) -> None:
    deploy.previous = None
    deploy.site.problems = [{"model": "lists.Item", "field": "text", "problem": "no such column"}]
    deploy.rehearse.apply(deploy.server)


def test_settings_that_name_another_database_are_refused(deploy: Deploy) -> None:
    deploy.site.rehearsal = {"database": "/elsewhere/db.sqlite3"}
    assert "name /elsewhere/db.sqlite3 as its database" in deploy.refused().message


def test_a_folder_that_can_not_be_made_is_an_error(deploy: Deploy) -> None:
    deploy.server.install("mkdir", "echo mkdir: no >&2; exit 1")
    with pytest.raises(StepFailed, match=r"rehearsal can't be made") as caught:
        deploy.rehearse.apply(deploy.server)
    assert "mkdir: no" in caught.value.got


# Snapshot


def test_a_snapshot_is_taken_before_the_migration_with_its_checksum(deploy: Deploy) -> None:
    migrations = deploy.migrations
    step = TakeSnapshot(migrations)
    path = Path(deploy.containers.folder.snapshots) / "db-20261124-031205-1a2b3c4.sqlite3"
    assert step.check(deploy.server) == f"{path.name} is missing"
    step.apply(deploy.server)
    assert path.read_bytes() == b"rows"
    checksum = path.with_name(f"{path.name}.sha256")
    assert checksum.read_text() == f"{hashlib.sha256(b'rows').hexdigest()}  {path.name}\n"
    assert {one.stat().st_mode & 0o777 for one in (path, checksum)} == {0o600}


def test_without_a_snapshot_there_is_no_migration(deploy: Deploy) -> None:
    deploy.server.engine.command = lambda _spec, command: (
        Finished(1, "", "database disk image is malformed")
        if programs.text("snapshot") in command
        else deploy.site.manage(_spec, command)
    )
    with pytest.raises(StepFailed, match="No snapshot of the database could be taken") as caught:
        TakeSnapshot(deploy.migrations).apply(deploy.server)
    assert "malformed" in caught.value.got


# What a killed deploy left


def leave(deploy: Deploy, name: str, *, runs: bool) -> None:
    left = replace(deploy.containers.manage("migrate"), name=name)
    deploy.server.engine.start(left)
    if not runs:
        deploy.server.engine.stop(name)


def test_what_a_killed_deploy_left_is_removed(deploy: Deploy) -> None:
    leave(deploy, "superlists-killed-shell-rehearsal", runs=True)
    leave(deploy, "superlists-killed-migrate", runs=False)
    deploy.rehearse.apply(deploy.server)
    assert there(deploy.server) == {OLD}


def test_a_migration_that_another_deploy_left_comes_to_its_end_first(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(deploy, "superlists-killed-migrate", runs=True)

    def end(_seconds: float) -> None:
        deploy.server.engine.stop("superlists-killed-migrate")
        deploy.site.pending.clear()

    monkeypatch.setattr(time, "sleep", end)
    assert "another deploy" in deploy.rehearse.apply(deploy.server)
    assert "superlists-killed-migrate" not in there(deploy.server)


@pytest.mark.parametrize("step", ["rehearse", "migrate"])
def test_one_that_does_not_end_is_never_joined_by_a_second(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    leave(deploy, "superlists-killed-migrate", runs=True)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    deploy.containers = replace(deploy.containers, app=replace(deploy.containers.app, migration_limit=0))
    act: Step = deploy.rehearse if step == "rehearse" else Migrate(deploy.migrations)
    with pytest.raises(StepFailed, match="still migrates the database after 0 s") as caught:
        act.apply(deploy.server)
    assert "docker rm -f superlists-killed-migrate" in caught.value.hint
    assert deploy.site.commands == []
