"""The database is outside the container, whole, and the app can write it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest
from testinfra.host import Host

from deploy_plugin.models import Deployment

# BEGIN IMMEDIATE takes the write lock, and nothing is written. SQLite opens a file that it may not write for reading,
# and only says so when it writes: hence the question to the system.
ASK_SQLITE = """
import os, sqlite3, sys
path = sys.argv[1]
database = sqlite3.connect(f"file:{path}?mode=rw", uri=True, isolation_level=None)
database.execute("BEGIN IMMEDIATE")
database.execute("ROLLBACK")
for needed in (path, os.path.dirname(path)):
    assert os.access(needed, os.W_OK), f"the app can't write {needed}"
print(*(row[0] for row in database.execute("PRAGMA integrity_check")))
"""


@pytest.fixture
def database(deployment: Deployment) -> str:
    """Where the database is on the server."""
    if deployment.app.database is None:
        pytest.skip("this app has no SQLite database: deploy.toml names none")
    return str(deployment.folder.data / deployment.app.database.name)


def test_the_folder_that_holds_it_is_mounted(container: dict[str, Any], deployment: Deployment) -> None:
    mounts = {mount["Source"]: mount["Destination"] for mount in container["Mounts"]}

    assert deployment.app.database
    assert mounts[str(deployment.folder.data)] == str(deployment.app.database.parent)


def test_it_belongs_to_the_user_that_the_app_runs_as(host: Host, deployment: Deployment, database: str) -> None:
    for path in (database, str(deployment.folder.data)):
        file = host.file(path)
        assert file.exists, path
        assert (file.uid, file.gid) == deployment.user, path


def test_it_is_whole_and_the_app_can_write_it(host: Host, deployment: Deployment, database: str) -> None:
    assert database
    asked = host.run(
        "docker exec %s python -c " + shlex.quote(ASK_SQLITE).replace("%", "%%") + " %s",
        deployment.container,
        str(deployment.app.database),
    )

    assert asked.rc == 0, asked.stderr
    assert asked.stdout.strip() == "ok"


def test_every_migration_is_applied(manage_py: Callable[..., str]) -> None:
    plan = manage_py("showmigrations", "--plan")

    assert "[X]" in plan
    assert "[ ]" not in plan
