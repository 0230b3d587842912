"""The report header says where each setting came from."""

from __future__ import annotations

from pathlib import Path

from deploy_plugin.config import find_place
from deploy_plugin.origins import origins

FILE = """
[app]
name = "superlists"
health = "/health"
[app.env]
A = "b"
[database]
path = "/data/db.sqlite3"
[targets.staging]
host = "elspeth@staging.example.com"
health = "/up"
"""


def said(root: Path, target: str, ssh_config: Path | None = None) -> str:
    return origins(root, find_place(target, root), ssh_config)


def test_each_key_is_named_with_its_table_and_a_targets_own_wins(tmp_path: Path) -> None:
    (tmp_path / "deploy.toml").write_text(FILE)
    assert said(tmp_path, "staging") == (
        "name, env from deploy.toml [app]; database from [database]; host, health from [targets.staging]; "
        "the rest by default"
    )


def test_a_bare_host_takes_nothing_from_a_named_target(tmp_path: Path) -> None:
    (tmp_path / "deploy.toml").write_text(FILE)
    assert said(tmp_path, "a@b.example.com").startswith("name, health, env from deploy.toml [app]; database from")


def test_a_typed_ssh_configuration_is_named(tmp_path: Path) -> None:
    (tmp_path / "deploy.toml").write_text(FILE)
    assert "; ssh as --ssh-config=mine says; " in said(tmp_path, "staging", Path("mine"))


def test_without_a_file_all_is_by_default(tmp_path: Path) -> None:
    assert said(tmp_path, "a@b.example.com") == "all by default: there is no deploy.toml"
