"""Copy a SQLite database, also while it is written to; see that the copy is whole. Arguments: source, copy.

Prints the copy's SHA-256. Written for whatever Python the app's image has.
"""

import hashlib
import os
import sqlite3
import sys

WAIT = 60
"""Seconds for other writers to finish."""


def main(source: str, copy: str) -> None:
    os.umask(0o077)
    new = copy + ".new"
    if os.path.exists(new):
        os.remove(new)
    database = sqlite3.connect("file:{}?mode=rw".format(source), uri=True, timeout=WAIT)
    database.execute("VACUUM INTO ?", (new,))
    database.close()
    require_whole(new)
    with open(new, "rb") as file:
        digest = hashlib.sha256()
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
        os.fsync(file.fileno())
    os.replace(new, copy)
    print(digest.hexdigest())


def require_whole(path: str) -> None:
    database = sqlite3.connect(path)
    said = [row[0] for row in database.execute("PRAGMA integrity_check")]
    database.close()
    if said != ["ok"]:
        os.remove(path)
        sys.exit("the copy is not whole: " + "; ".join(said[:3]))


main(*sys.argv[1:])
