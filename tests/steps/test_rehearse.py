"""Rehearse: what a migration would do is known before anything changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.containers import ONE_OFF, ROLE
from deploy_plugin.downtime import Downtime
from deploy_plugin.errors import StepFailed, Unreachable
from deploy_plugin.steps.snapshot import TakeSnapshot
from tests.site import TARGET, running
from tests.steps.migrating import NEW, OLD, Deploy

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
