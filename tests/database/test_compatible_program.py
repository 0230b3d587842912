"""The program by which the release before tries the new schema: it names model and field, on real databases."""

from __future__ import annotations

import pytest

from tests.database.django_project import DjangoProject

FINE = {
    "a new table": 'migrations.CreateModel("new", [("id", models.BigAutoField(primary_key=True))])',
    "a column that may be empty": 'migrations.AddField("item", "more", models.IntegerField(null=True))',
    "a column with a default in the database": 'migrations.AddField("item", "x", models.IntegerField(db_default=1))',
    "an index": 'migrations.AddIndex("item", models.Index(fields=["text"], name="by_text"))',
    "a unique constraint": 'migrations.AddConstraint("tag", UniqueConstraint(fields=["word"], name="once"))',
    "another type": 'migrations.AlterField("list", "name", models.TextField())',
    "more rows": 'migrations.RunSQL("INSERT INTO lists_code VALUES (2)")',
}
NOT_FINE = {
    "a renamed column": ('migrations.RenameField("item", "text", "body")', "lists.Item.text"),
    "a dropped column": ('migrations.RemoveField("item", "rank")', "lists.Item.rank"),
    "a new column that must have a value": (
        'migrations.AddField("item", "more", models.IntegerField(default=1))',
        "lists.Item.more",
    ),
    "the same on a table without rows": (
        'migrations.AddField("empty", "more", models.IntegerField(default=1))',
        "lists.Empty.more",
    ),
    "a dropped column of a table without rows": ('migrations.RemoveField("empty", "note")', "lists.Empty.note"),
    "a dropped table": ('migrations.DeleteModel("sum")', "lists.Sum."),
    "a renamed table": ('migrations.RenameModel("code", "cipher")', "lists.Code."),
    "a dropped many-to-many": ('migrations.RemoveField("tag", "items")', "lists.Tag_items."),
    "a column that a child's table lost": ('migrations.RemoveField("shared", "colour")', "lists.Shared.colour"),
}


def test_nothing_changed_is_no_problem_and_leaves_nothing_behind(django: DjangoProject) -> None:
    django.rehearse()
    before = django.rows("SELECT * FROM lists_item")
    assert django.problems() == {}
    assert django.rows("SELECT * FROM lists_item") == before
    assert django.rows("SELECT COUNT(*) FROM lists_list") == [(2,)]


@pytest.mark.parametrize("operation", FINE.values(), ids=FINE)
def test_it_can_live_with(django: DjangoProject, operation: str) -> None:
    assert "error" not in django.rehearse(operation)
    assert django.problems() == {}


@pytest.mark.parametrize(("operation", "where"), NOT_FINE.values(), ids=NOT_FINE)
def test_it_can_not_live_with(django: DjangoProject, operation: str, where: str) -> None:
    assert "error" not in django.rehearse(operation)
    assert where in django.problems()
