"""What a run is about is settled before anything is contacted."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy_plugin import sandbox
from deploy_plugin.errors import ConfigError
from deploy_plugin.session import Session, Typed, settle
from tests.project import write

ALIAS = """
    [app]
    name = "site"
    [targets.staging]
    host = "web"
    ssh_config = "ssh"
"""


@pytest.fixture
def settled(tmp_path: Path) -> Iterator[Session]:
    (tmp_path / "Dockerfile").write_text("")
    (tmp_path / "ssh").write_text("Host web\n  HostName www.example.com\n")
    write(tmp_path, ALIAS)
    found = settle(Typed("staging", deploys=True), tmp_path)
    yield found
    found.discard()


def test_an_alias_of_the_targets_own_ssh_configuration_gives_the_url(settled: Session, tmp_path: Path) -> None:
    assert (settled.target.url, settled.target.destination) == ("http://www.example.com", "web")
    assert settled.target.ssh_config == tmp_path / "ssh"
    assert str(tmp_path / "ssh") in settled.ssh_config.read_text()


def test_its_folder_is_for_its_owner_only_short_and_gone_afterwards(settled: Session) -> None:
    assert settled.folder.stat().st_mode & 0o777 == 0o700
    assert len(str(settled.folder)) < 60
    settled.discard()
    assert not settled.folder.exists()


def test_it_survives_the_way_to_a_worker(settled: Session) -> None:
    assert pickle.loads(pickle.dumps(settled)) == settled  # noqa: S301 - our own


def test_as_long_as_nothing_was_deployed_there_is_no_deployment(settled: Session) -> None:
    assert settled.deployment is None


@pytest.mark.parametrize("name", ["sandbox", "sandbox:nosuch"])
def test_verifying_a_sandbox_that_is_not_there_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(sandbox, "every", list)
    monkeypatch.setattr(sandbox, "find", lambda _name: None)
    with pytest.raises(ConfigError, match="no sandbox that is there") as caught:
        settle(Typed(name, deploys=False), tmp_path)
    assert "--deploy-to=sandbox:NAME" in caught.value.hint
