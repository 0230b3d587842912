"""A project's folder with a deploy.toml, for tests."""

from __future__ import annotations

import textwrap
from pathlib import Path

TWO_TARGETS = """
    [app]
    name = "site"
    health = "/health"
    env = { DEBUG = "0", HOST = "{host}" }
    [database]
    path = "/data/db.sqlite3"
    [targets.live]
    host = "example.com"
    live = true
    [targets.staging]
    host = "staging.example.com"
    url = "https://staging.example.com/"
    publish = 8080
    ssh_config = "conf/ssh"
    health = "/"
    env = { DEBUG = "1" }
    database = { path = "/other/db.sqlite3" }
"""


def write(root: Path, text: str) -> None:
    """Write the project's deploy.toml."""
    (root / "deploy.toml").write_text(textwrap.dedent(text))
