"""Apply the pending migrations to the database that is mounted, which is a copy, and print what became of it as JSON.

Runs under ``manage.py shell -c`` in the new image. Which rows stood in a constraint's way is looked for afterwards:
a migration that failed was undone. Without ``DEPLOY_SHOW_VALUES=1`` nothing is printed that a row holds, but its key.
"""

import json
import os
import re
import time
import traceback
from contextlib import suppress

from django.core.exceptions import FieldDoesNotExist, FieldError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

GROUPS = 20
"""How many groups of offending rows are named."""
UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")
NOT_NULL = re.compile(r"NOT NULL constraint failed: (.+)")
CHECK = re.compile(r"CHECK constraint failed: (\w+)")
DANGLING = re.compile(r"The row in table '(\w+)' with primary key .* has an invalid foreign key: \w+\.(\w+) contains")
WITHOUT_VALUES = (AttributeError, CommandError, DatabaseError, FieldDoesNotExist, FieldError, ImportError, NameError)
"""Errors whose words tell of tables, columns and code; others may quote what a row holds."""
SHOW_VALUES = os.environ.get("DEPLOY_SHOW_VALUES") == "1"

applied = []
current = []
apply_migration = MigrationExecutor.apply_migration


def timed(self, state, migration, *args, **kwargs):
    current[:] = [migration]
    start = time.monotonic()
    after = apply_migration(self, state, migration, *args, **kwargs)
    applied.append({"name": str(migration), "seconds": time.monotonic() - start})
    return after


def rows():
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        return {table: _value(cursor, "SELECT COUNT(*) FROM {}", table) for table in tables}


def error_of(error):
    """What failed, in the database's own words, and the rows that stood in its way."""
    # A table that is rebuilt is filled under another name first.
    said = re.sub(r"\bnew__(\w+\.)", r"\1", str(error)) if isinstance(error, DatabaseError) else str(error)
    found = {"migration": str(current[0]) if current else "", "kind": type(error).__name__, "message": said}
    if not SHOW_VALUES and not isinstance(error, WITHOUT_VALUES):
        found["message"] = ""
    place = traceback.extract_tb(error.__traceback__)[-1]
    found["place"] = "{}:{}".format(place.filename, place.lineno)
    dangles = DANGLING.search(said)
    if dangles:
        found["message"] = "FOREIGN KEY constraint failed: {}.{}".format(*dangles.groups())
    for pattern, look in ((UNIQUE, duplicates), (NOT_NULL, missing), (CHECK, refused), (DANGLING, dangling)):
        match = pattern.search(said)
        if match:
            # Where table or column were not there before the migration, no row had it.
            with suppress(DatabaseError, LookupError, AttributeError, TypeError):
                found.update(look(*match.groups()))
    return found


def duplicates(said):
    table, columns = _columns(said)
    quoted = ", ".join(map(_quoted, columns))
    key = _quoted(_key_of(table))
    # To a unique constraint no NULL is the same as another.
    filled = " AND ".join("{} IS NOT NULL".format(_quoted(column)) for column in columns)
    query = "SELECT GROUP_CONCAT({}), COUNT(*), {} FROM {} WHERE {} GROUP BY {} HAVING COUNT(*) > 1 ORDER BY MIN({})"
    with connection.cursor() as cursor:
        cursor.execute(query.format(key, quoted, _quoted(table), filled, quoted, key))
        found = cursor.fetchall()
    groups = []
    for key_list, _, *values in found[:GROUPS]:
        group = {"keys": str(key_list).split(",")}
        if SHOW_VALUES:
            group["values"] = dict(zip(columns, map(str, values)))  # noqa: B905 - as Python 3.8 has it
        groups.append(group)
    rows = sum(row[1] for row in found)
    return {"table": table, "columns": columns, "groups": groups, "rows": rows, "sets": len(found), "hides": True}


def missing(said):
    table, columns = _columns(said)
    return _rows_where(table, columns, "{} IS NULL".format(_quoted(columns[0])))


def refused(name):
    """The rows that a check constraint does not allow, asked of the models as they were before the migration."""
    migration = current[0]
    executor = MigrationExecutor(connection)
    state = executor.loader.project_state((migration.app_label, migration.name), at_end=False)
    for operation in migration.operations:
        constraint = getattr(operation, "constraint", None)
        if constraint is not None and constraint.name == name:
            model = state.apps.get_model(migration.app_label, operation.model_name)
            allowed = getattr(constraint, "condition", None) or constraint.check
            keys = [str(key) for key in model._base_manager.exclude(allowed).values_list("pk", flat=True)]
            return _found(model._meta.db_table, [name], keys)
    return {}


def dangling(table, column):
    """The rows that point to a row that is not there: Django sees them before what a migration did is undone."""
    query = "SELECT {} FROM {} WHERE rowid = %s".format(_quoted(_key_of(table)), _quoted(table))
    keys = []
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_key_check({})".format(_quoted(table)))
        for number in sorted({row[1] for row in cursor.fetchall()}):
            cursor.execute(query, [number])
            keys.append(str(cursor.fetchone()[0]))
    return _found(table, [column], keys)


def _rows_where(table, columns, condition):
    with connection.cursor() as cursor:
        cursor.execute("SELECT {} FROM {} WHERE {}".format(_quoted(_key_of(table)), _quoted(table), condition))
        keys = [str(row[0]) for row in cursor.fetchall()]
    return _found(table, columns, keys)


def _found(table, columns, keys):
    groups = [{"keys": [key]} for key in keys[:GROUPS]]
    return {"table": table, "columns": columns, "groups": groups, "rows": len(keys), "sets": len(keys)}


def _columns(said):
    names = [name.strip() for name in said.split(",")]
    # A table that is rebuilt is filled under another name first.
    table = names[0].partition(".")[0]
    table = table.removeprefix("new__")
    columns = [name.partition(".")[2] for name in names]
    # Asked for a column that is not there, SQLite takes its quoted name for a text.
    with connection.cursor() as cursor:
        there = [column.name for column in connection.introspection.get_table_description(cursor, table)]
    if not set(columns) <= set(there):
        raise LookupError(said)
    return table, columns


def _key_of(table):
    with connection.cursor() as cursor:
        return connection.introspection.get_primary_key_column(cursor, table)


def _quoted(name):
    return connection.ops.quote_name(name)


def _value(cursor, query, table):
    cursor.execute(query.format(_quoted(table)))
    return cursor.fetchone()[0]


def rehearse():
    report = {"before": rows()}
    MigrationExecutor.apply_migration = timed
    start = time.monotonic()
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except Exception as error:  # whatever a migration raises is what we are to report
        report["error"] = error_of(error)
    report["seconds"] = time.monotonic() - start
    report["applied"] = applied
    report["after"] = rows()
    report["patience"] = connection.settings_dict.get("OPTIONS", {}).get("timeout", 5.0)
    report["database"] = str(connection.settings_dict["NAME"])
    return report


print("\npytest-deploy:" + json.dumps(rehearse()))
