"""The program that migrates a copy: what it reports, on real databases."""

from __future__ import annotations

import json

import pytest

from deploy_plugin.database import programs
from deploy_plugin.errors import StepFailed
from tests.database.django_project import DjangoProject

UNIQUE = 'migrations.AddConstraint("item", UniqueConstraint(fields=["text", "list"], name="once"))'
LABEL = "lists.0002_change"


def test_what_works_is_timed_and_its_rows_are_counted(django: DjangoProject) -> None:
    doubles = 'migrations.RunSQL("INSERT INTO lists_code SELECT code || 2 FROM lists_code")'
    found = django.rehearse(doubles, 'migrations.DeleteModel("empty")')
    (applied,) = found["applied"]
    assert applied["name"] == LABEL
    assert applied["seconds"] > 0
    assert (found["before"]["lists_code"], found["after"]["lists_code"]) == (1, 2)
    assert found["before"]["lists_empty"] == 0
    assert "lists_empty" not in found["after"]
    assert found["before"]["lists_item"] == found["after"]["lists_item"] == 6
    assert found["patience"] == 7
    assert found["database"] == str(django.database)
    assert "error" not in found


def test_duplicates_are_counted_and_named_by_their_keys(django: DjangoProject) -> None:
    error = django.rehearse(UNIQUE)["error"]
    assert (error["kind"], error["migration"]) == ("IntegrityError", LABEL)
    assert error["message"] == "UNIQUE constraint failed: lists_item.text, lists_item.list_id"
    assert (error["table"], error["columns"]) == ("lists_item", ["text", "list_id"])
    assert [group["keys"] for group in error["groups"]] == [["1", "2"], ["4", "5", "6"]]
    assert (error["rows"], error["sets"]) == (5, 2)


def test_what_duplicates_hold_is_shown_only_where_that_was_asked_for(django: DjangoProject) -> None:
    assert "s3ntinel" not in json.dumps(django.rehearse(UNIQUE))
    shown = django.rehearse(UNIQUE, values=True)["error"]["groups"]
    assert [group["values"]["text"] for group in shown] == ["milk", "s3ntinel"]


def test_a_field_that_becomes_unique_names_its_duplicates(django: DjangoProject) -> None:
    error = django.rehearse('migrations.AlterField("item", "rank", models.IntegerField(null=True, unique=True))')
    assert error["error"]["table"] == "lists_item"
    assert error["error"]["groups"] == [{"keys": ["1", "2", "4", "5", "6"]}]  # NULL is no duplicate


def test_more_duplicates_than_a_screen_holds_are_counted(django: DjangoProject) -> None:
    for number in range(30):
        for _ in range(2):
            django.rows("INSERT INTO lists_item (text, list_id) VALUES (?, 1)", str(number))
    error = django.rehearse(UNIQUE)["error"]
    assert len(error["groups"]) == 20
    assert (error["sets"], error["rows"]) == (32, 65)


def test_rows_without_a_value_are_named_where_one_is_wanted(django: DjangoProject) -> None:
    error = django.rehearse('migrations.AlterField("item", "rank", models.IntegerField())')["error"]
    assert error["message"].startswith("NOT NULL constraint failed: ")
    assert (error["table"], error["columns"], error["groups"]) == ("lists_item", ["rank"], [{"keys": ["3"]}])


def test_rows_that_a_check_does_not_allow_are_named(django: DjangoProject) -> None:
    check = 'CheckConstraint(condition=~Q(text="milk"), name="no_milk")'
    error = django.rehearse(f'migrations.AddConstraint("item", {check})')["error"]
    assert error["message"] == "CHECK constraint failed: no_milk"
    assert [group["keys"] for group in error["groups"]] == [["1"], ["2"]]


def test_rows_that_point_nowhere_are_named_without_what_they_hold(django: DjangoProject) -> None:
    django.rows("UPDATE lists_item SET list_id = 4711 WHERE id IN (2, 3)")
    error = django.rehearse('migrations.RenameField("item", "text", "body")')["error"]
    assert error["message"] == "FOREIGN KEY constraint failed: lists_item.list_id"
    assert [group["keys"] for group in error["groups"]] == [["2"], ["3"]]
    assert "4711" not in json.dumps(error)


def test_rows_that_the_migration_lets_point_nowhere_are_named_too(django: DjangoProject) -> None:
    error = django.rehearse('migrations.RunSQL("UPDATE lists_item SET list_id = 4711 WHERE id = 2")')["error"]
    assert error["message"] == "FOREIGN KEY constraint failed: lists_item.list_id"
    assert [group["keys"] for group in error["groups"]] == [["2"]]
    assert "4711" not in json.dumps(error)


def test_a_constraint_on_what_the_migration_adds_itself_names_no_row(django: DjangoProject) -> None:
    error = django.rehearse('migrations.AddField("item", "more", models.IntegerField(default=1, unique=True))')["error"]
    assert "UNIQUE constraint failed" in error["message"]
    assert "groups" not in error


def test_words_that_may_quote_a_row_are_kept_back(django: DjangoProject) -> None:
    raises = 'migrations.RunPython(lambda apps, editor: int(apps.get_model("lists", "item").objects.last().text))'
    error = django.rehearse(raises)["error"]
    assert (error["kind"], error["message"]) == ("ValueError", "")
    assert error["place"].startswith(str(django.folder / "lists/migrations/0002_change.py:"))
    assert "s3ntinel" in django.rehearse(raises, values=True)["error"]["message"]


def test_what_failed_was_undone(django: DjangoProject) -> None:
    found = django.rehearse('migrations.RunSQL("DELETE FROM lists_code")', UNIQUE)
    assert found["before"] == found["after"]


def test_an_app_that_can_not_run_it_is_an_error_with_its_words(django: DjangoProject) -> None:
    (django.folder / "settings.py").write_text("raise RuntimeError('no settings')")
    with pytest.raises(StepFailed, match="The rehearsal could not be done: exit code 1") as caught:
        django.rehearse(UNIQUE)
    assert "no settings" in caught.value.got


def test_an_answer_without_its_mark_is_none(django: DjangoProject) -> None:
    with pytest.raises(StepFailed, match="could not be done: exit code 0"):
        programs.answer(django.manage("check"), "The check")
