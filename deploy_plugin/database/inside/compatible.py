"""Read and write one row of every model, as the previous release does it, and print what it can't do as JSON.

Runs under ``manage.py shell -c`` in the previous image, on a copy with the new schema. Nothing is kept: each model is
tried in a transaction that is rolled back. No ``save()`` and no signal of the app is called.
"""

import copy
import json
import re

from django.apps import apps
from django.db import DatabaseError, connection, transaction

COLUMN = re.compile(r"no such column: (?:\w+\.)?(\w+)|has no column named (\w+)|NOT NULL constraint failed: \w+\.(\w+)")


class Undone(Exception):
    """Ends a transaction without keeping what it did."""


def problems_of(model):
    seen = set()
    for act in (read_and_write, require_columns):
        try:
            with transaction.atomic():
                act(model)
                raise Undone
        except Undone:
            pass
        except DatabaseError as error:
            said = str(error)
            if "UNIQUE constraint failed" not in said:  # a copy may be one too many: the app would not make it
                field = field_of(model, said)
                if field not in seen:
                    yield {"model": model._meta.label, "field": field, "problem": said}
                seen.add(field)


def require_columns(model):
    """Refuse a column that the model does not know, and that wants a value: an empty table would not show it."""
    table = model._meta.db_table
    known = {field.column for field in model._meta.local_concrete_fields}
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA table_info({})".format(connection.ops.quote_name(table)))
        columns = cursor.fetchall()
    if not columns:
        raise DatabaseError("no such table: {}".format(table))
    for _, name, _, not_null, default, key in columns:
        if not_null and default is None and not key and name not in known:
            raise DatabaseError("NOT NULL constraint failed: {}.{}".format(table, name))


def read_and_write(model):
    found = model._base_manager.order_by().first()
    fields = (
        [field for field in model._meta.local_concrete_fields if not field.generated]
        if _generates()
        else list(model._meta.local_concrete_fields)
    )
    if found is None:
        return
    values = {field.attname: getattr(found, field.attname) for field in fields if not field.primary_key}
    if values:
        model._base_manager.filter(pk=found.pk).update(**values)
    another = copy.copy(found)
    if model._meta.auto_field:
        setattr(another, model._meta.auto_field.attname, None)
        fields = [field for field in fields if field is not model._meta.auto_field]
    model._base_manager._insert([another], fields=fields, using=connection.alias, raw=True)


def _generates():
    """Whether this Django has columns that the database computes: they can't be written."""
    from django.db.models import Field

    return hasattr(Field, "generated")


def field_of(model, said):
    match = COLUMN.search(said)
    column = next(filter(None, match.groups())) if match else ""
    names = {field.column: field.name for field in model._meta.concrete_fields}
    return names.get(column, column)


def tried():
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and not model._meta.swapped
    ]


models = tried()
found = [problem for model in models for problem in problems_of(model)]
patience = connection.settings_dict.get("OPTIONS", {}).get("timeout", 5.0)
print("\npytest-deploy:" + json.dumps({"models": len(models), "problems": found, "patience": patience}))
