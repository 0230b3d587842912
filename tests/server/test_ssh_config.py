from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy_plugin.errors import ConfigError
from deploy_plugin.server.ssh_config import control_path, write_run_config

THEIRS = """
Host web
    HostName www.example.com
    User elspeth
    BatchMode no
    ControlPath /tmp/theirs
    ControlMaster auto
    ControlPersist 10m
    RemoteCommand tmux new-session -A
    RequestTTY force
"""


def resolved(config: Path, host: str) -> dict[str, str]:
    """What ssh itself makes of the file; it does not connect."""
    done = subprocess.run(["ssh", "-F", config, "-G", host], capture_output=True, text=True, check=True)
    return dict(line.partition(" ")[::2] for line in done.stdout.splitlines())


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "with space" / "config"
    path.parent.mkdir()
    path.write_text(THEIRS)
    return path


def test_the_users_aliases_work_and_the_connection_is_the_runs_own(tmp_path: Path, users: Path) -> None:
    seen = resolved(write_run_config(tmp_path, user_config=users, identity_file=None), "web")
    assert (seen["hostname"], seen["user"]) == ("www.example.com", "elspeth")
    assert seen["controlpath"] == str(control_path(tmp_path))
    assert seen["batchmode"] == "yes"


def test_what_is_for_people_at_a_terminal_is_not_for_a_run(tmp_path: Path, users: Path) -> None:
    seen = resolved(write_run_config(tmp_path, user_config=users, identity_file=None), "web")
    assert [seen[key] for key in ("controlmaster", "controlpersist", "requesttty")] == ["false", "no", "false"]
    assert "remotecommand" not in seen


def test_host_keys_are_checked_as_the_user_has_it(tmp_path: Path, users: Path) -> None:
    path = write_run_config(tmp_path, user_config=users, identity_file=None)
    assert resolved(path, "web")["stricthostkeychecking"] == "ask"
    assert "StrictHostKeyChecking" not in path.read_text()
    users.write_text(users.read_text() + "Host *\n  StrictHostKeyChecking yes\n")
    assert resolved(path, "web")["stricthostkeychecking"] == "true"


def test_an_identity_file_is_offered(tmp_path: Path, users: Path) -> None:
    key = tmp_path / "a key"
    key.write_text("")
    seen = resolved(write_run_config(tmp_path, user_config=users, identity_file=key), "web")
    assert seen["identityfile"] == str(key)


@pytest.mark.parametrize(
    ("option", "named"), [("user_config", "--ssh-config"), ("identity_file", "--ssh-identity-file")]
)
def test_a_file_that_is_not_there_is_refused_by_its_option(tmp_path: Path, option: str, named: str) -> None:
    given = {"user_config": None, "identity_file": None, option: tmp_path / "nosuch"}
    with pytest.raises(ConfigError, match=f"{named}=.*nosuch: there is no such file"):
        write_run_config(tmp_path, **given)


def test_without_one_the_usual_two_files_are_read(tmp_path: Path) -> None:
    lines = write_run_config(tmp_path, user_config=None, identity_file=None).read_text().split("\n")
    assert [line.split()[1] for line in lines if "Include" in line] == ["~/.ssh/config", "/etc/ssh/ssh_config"]
