from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from deploy_plugin.errors import ConfigError, DeployError
from deploy_plugin.sandbox import EngineKind, State, every, find, remove, reservation, reserve, sweep
from deploy_plugin.sandbox.state import process, read

if TYPE_CHECKING:
    from pathlib import Path


def listening(monkeypatch: pytest.MonkeyPatch, *places: tuple[str, int]) -> None:
    """Pretend that something listens there: ports below 1024 are not for everybody."""
    monkeypatch.setattr(reservation, "answers", lambda address, port: (address, port) in places)


def test_a_new_sandbox_gets_the_first_loopback_address_with_the_ports_of_a_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listening(monkeypatch)
    sandbox = reserve("staging")
    assert sandbox.destination == "deploy@127.0.0.11"
    assert sandbox.url == "http://127.0.0.11"


def test_two_sandboxes_never_share_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    listening(monkeypatch)
    assert [reserve(name).url for name in ("a", "b", "a")] == [
        "http://127.0.0.11",
        "http://127.0.0.12",
        "http://127.0.0.11",
    ]


def test_an_address_where_somebody_listens_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    listening(monkeypatch, ("127.0.0.11", 22), ("127.0.0.12", 80))
    assert reserve("a").destination == "deploy@127.0.0.13"


def test_where_ssh_listens_on_all_addresses_only_its_port_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    listening(monkeypatch, *((address, 22) for address in reservation.ADDRESSES))
    sandbox = reserve("a")
    host, _, port = sandbox.destination.rpartition(":")
    assert host == "deploy@127.0.0.11"
    assert int(port) > 1024
    assert sandbox.url == "http://127.0.0.11"
    assert (sandbox.folder / "known_hosts").read_text().startswith(f"[127.0.0.11]:{port} ssh-ed25519 ")


def test_a_machine_with_one_loopback_address_gets_high_ports_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reservation, "_binds", lambda _address: False)
    sandbox = reserve("a")
    assert sandbox.destination.startswith("deploy@127.0.0.1:")
    assert sandbox.url.startswith("http://127.0.0.1:")


def test_somebody_who_listens_is_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert reservation.answers("127.0.0.1", port)
    assert not reservation.answers("127.0.0.1", port)


def test_no_address_left_is_a_sentence() -> None:
    with pytest.raises(DeployError, match="All sandbox addresses are taken"):
        reservation.free_address(set(reservation.ADDRESSES))


def test_the_same_name_is_the_same_sandbox_with_the_same_keys() -> None:
    first = reserve("a")
    key = (first.folder / "host_key").read_bytes()
    assert reserve("a") == first == find("a")
    assert (first.folder / "host_key").read_bytes() == key


def test_the_flavour_of_a_sandbox_stays() -> None:
    assert reserve("a", bare=True).bare
    assert reserve("a").bare
    with pytest.raises(ConfigError, match="The sandbox 'a' is there, bare, not with Docker"):
        reserve("a", bare=False)


def test_the_engine_of_a_sandbox_stays() -> None:
    assert reserve("a", engine=EngineKind.CONTAINERD).engine == "containerd"
    assert reserve("a").engine == "containerd"
    assert reserve("b").engine == "overlay2"
    with pytest.raises(
        ConfigError, match="The sandbox 'a' is there, with the engine containerd, not with the engine overlay2"
    ):
        reserve("a", engine=EngineKind.OVERLAY2)
    with pytest.raises(ConfigError, match="The sandbox 'a' is there, with the engine containerd, not bare"):
        reserve("a", bare=True)


def test_a_bare_sandbox_has_no_engine() -> None:
    assert reserve("a", bare=True).engine is None
    with pytest.raises(ConfigError, match="The sandbox 'a' is there, bare, not with the engine containerd"):
        reserve("a", engine=EngineKind.CONTAINERD)


def test_many_processes_at_once_agree(state: Path) -> None:
    code = "from deploy_plugin.sandbox import reserve; import sys; print(reserve(sys.argv[1]).url)"
    environment = {**os.environ, "XDG_STATE_HOME": str(state.parent.parent)}

    def url(name: str) -> str:
        argv = [sys.executable, "-c", code, name]
        return subprocess.run(argv, check=True, capture_output=True, text=True, env=environment).stdout

    names = ["a", "b", "a", "b", "a", "b"]
    with ThreadPoolExecutor() as pool:
        urls = list(pool.map(url, names))
    assert len(set(zip(names, urls, strict=True))) == 2
    assert len(set(urls)) == 2


def test_half_made_state_of_a_process_that_died_is_made_again(state: Path) -> None:
    (state / "a").mkdir(parents=True)
    (state / "a" / "client_key").write_text("half a key")
    assert find("a") is None
    assert "PRIVATE KEY" in (reserve("a").folder / "client_key").read_text()


def test_nobody_else_can_read_the_keys() -> None:
    folder = reserve("a").folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "client_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("asked", ["sandbox-a", "deploy@127.0.0.11"])
def test_ssh_finds_it_by_alias_and_by_address_and_believes_only_its_host_key(
    asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening(monkeypatch)
    sandbox = reserve("a")
    argv = ["ssh", "-G", "-F", str(sandbox.ssh_config), asked]
    options = dict(line.split(" ", 1) for line in subprocess.check_output(argv, text=True).splitlines())
    assert options["hostname"] == "127.0.0.11"
    assert options["user"] == "deploy"
    assert options["port"] == "22"
    assert options["stricthostkeychecking"] == "true"
    assert options["globalknownhostsfile"] == "/dev/null"
    assert options["identitiesonly"] == "yes"
    assert options["hostkeyalgorithms"] == "ssh-ed25519"


def test_ssh_keeps_a_space_and_a_percent_sign_in_the_path_of_its_files() -> None:
    sandbox = reserve("a")
    assert f'IdentityFile "{sandbox.folder}/client_key"'.replace("%", "%%") in sandbox.ssh_config.read_text()
    argv = ["ssh", "-F", str(sandbox.ssh_config), "-o", "ConnectTimeout=1", "-v", sandbox.alias, "true"]
    log = subprocess.run(argv, check=False, capture_output=True, text=True).stderr
    assert "no such identity" not in log


def test_a_throwaway_sandbox_gets_a_name_and_dies_with_its_process() -> None:
    sandbox = reserve()
    record = read(sandbox.name)
    assert sandbox.throwaway
    assert record is not None
    assert record.owner == process(os.getpid())
    assert sweep() == []
    replace(record, owner="1@never").write()
    assert sweep() == [sandbox.name]
    assert not sandbox.folder.exists()


def test_a_named_sandbox_outlives_its_process() -> None:
    assert not reserve("a").throwaway


def test_a_process_that_ended_is_nobody() -> None:
    with subprocess.Popen(["true"]) as child:
        child.wait()
    assert process(child.pid) is None


def test_what_was_never_booted_is_listed_and_removed_without_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    sandbox = reserve("a")
    assert [(seen.sandbox, seen.state) for seen in every()] == [(sandbox, State.RESERVED)]
    remove(sandbox)
    assert find("a") is None
    assert every() == []


@pytest.mark.parametrize("name", ["", "-a", "a-", "a b", "a/b", "..", "ä", "a" * 41, "a\n"])
def test_a_name_is_letters_digits_and_dashes(name: str) -> None:
    with pytest.raises(ConfigError, match="can't be a sandbox's name"):
        reserve(name)


def test_state_that_can_not_be_read_names_the_folder_to_remove(state: Path) -> None:
    reserve("a")
    (state / "a" / "sandbox.json").write_text("{}")
    with pytest.raises(DeployError, match=r"sandbox\.json does not say what a sandbox needs") as error:
        find("a")
    assert error.value.hint == f"Remove the folder {state / 'a'}."
