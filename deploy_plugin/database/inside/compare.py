"""Count which rows of a database are not in a copy, and the other way round. Arguments: database, copy.

Prints JSON: for each table that differs, ``[rows that would go, rows that would come]``. A row that was changed counts
as both. Columns that only one of them has are not compared.
"""

import json
import os
import sqlite3
import sys

GOING, COMING = ("main", "copy"), ("copy", "main")


def main(path: str, copy: str) -> None:
    if not os.path.getsize(path):
        path = ":memory:"
    database = sqlite3.connect(path if path == ":memory:" else "file:{}?mode=rw".format(path), uri=True, timeout=60)
    database.execute("ATTACH ? AS copy", (copy,))
    tables = sorted({*names(database, "main"), *names(database, "copy")})
    both = {
        table: [only_in(database, "main", "copy", table), only_in(database, "copy", "main", table)] for table in tables
    }
    print("pytest-deploy:" + json.dumps({table: counts for table, counts in both.items() if any(counts)}))


def only_in(database, schema, other, table):
    columns = [name for name in columns_of(database, schema, table) if name in columns_of(database, other, table)]
    if not columns_of(database, schema, table):
        return 0
    if not columns:
        return database.execute("SELECT COUNT(*) FROM {}.{}".format(schema, quoted(table))).fetchone()[0]
    listed = ", ".join(map(quoted, columns))
    query = "SELECT COUNT(*) FROM (SELECT {0} FROM {1}.{3} EXCEPT SELECT {0} FROM {2}.{3})"
    return database.execute(query.format(listed, schema, other, quoted(table))).fetchone()[0]


def names(database, schema):
    query = "SELECT name FROM {}.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    return [row[0] for row in database.execute(query.format(schema))]


def columns_of(database, schema, table):
    return [row[1] for row in database.execute("PRAGMA {}.table_info({})".format(schema, quoted(table)))]


def quoted(name):
    return '"{}"'.format(name.replace('"', '""'))


main(*sys.argv[1:])
