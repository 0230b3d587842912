"""Put a copy in the place of a database that nobody uses. Arguments: copy, database.

The copy has to be whole; the new file has the old one's mode and journal mode.
"""

import os
import shutil
import sqlite3
import sys

MODE = 0o600


def main(copy: str, path: str) -> None:
    os.umask(0o077)
    new = path + ".new"
    shutil.copyfile(copy, new)
    try:
        require_whole(new, keeps_wal(path))
    except BaseException:
        os.remove(new)
        raise
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else MODE
    os.chmod(new, mode)
    with open(new, "rb") as file:
        os.fsync(file.fileno())
    # Beside another database they would be taken for its own, and spoil it.
    for name in (path + "-wal", path + "-shm", path + "-journal"):
        if os.path.exists(name):
            os.remove(name)
    os.replace(new, path)
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def keeps_wal(path):
    """Whether the database says of itself that it is in WAL mode, as its header does."""
    if not os.path.exists(path):
        return False
    with open(path, "rb") as file:
        return file.read(19)[18:] == b"\x02"


def require_whole(path, wal):
    database = sqlite3.connect(path)
    said = [row[0] for row in database.execute("PRAGMA integrity_check")]
    if said == ["ok"] and wal:
        database.execute("PRAGMA journal_mode=WAL")
    database.close()
    if said != ["ok"]:
        sys.exit("the copy is not whole: " + "; ".join(said[:3]))


main(*sys.argv[1:])
