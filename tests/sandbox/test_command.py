from __future__ import annotations

import json
import subprocess
import sys

import pytest

from deploy_plugin import cli
from deploy_plugin.sandbox import EngineKind, reserve


def test_a_sandbox_that_is_not_there_is_a_sentence_that_names_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reserve("staging")
    assert cli.main(["sandbox", "down", "staging", "stagign"]) == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err == ("There is no sandbox 'stagign'.\nKnown: staging. To make it: pytest-deploy sandbox up stagign\n")


def test_a_typo_in_one_name_removes_none(capsys: pytest.CaptureFixture[str]) -> None:
    sandbox = reserve("a")
    cli.main(["sandbox", "down", "a", "b"])
    assert "no sandbox 'b'" in capsys.readouterr().err
    assert sandbox.folder.exists()


def test_without_an_engine_up_says_what_was_tried(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    assert cli.main(["sandbox", "up", "a"]) == 30
    err = capsys.readouterr().err
    assert "No Docker engine answers on this machine: tried unix:///nowhere/docker.sock (DOCKER_HOST)." in err
    assert "Traceback" not in err


def test_an_engine_on_another_machine_can_have_no_sandbox(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://deploy@server.example")
    assert cli.main(["sandbox", "up", "a"]) == 30
    assert "ssh://deploy@server.example (DOCKER_HOST) is on another one" in capsys.readouterr().err


def test_an_empty_list_says_how_to_make_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sandbox", "list"]) == 0
    assert capsys.readouterr().out == "There is no sandbox. Make one: pytest-deploy sandbox up NAME\n"


def test_the_list_shows_state_and_address(capsys: pytest.CaptureFixture[str]) -> None:
    sandbox = reserve("a")
    assert cli.main(["sandbox", "list"]) == 0
    assert capsys.readouterr().out == f"a  reserved  overlay2  {sandbox.destination}  {sandbox.url}\n"


def test_the_list_shows_what_engine_each_has(capsys: pytest.CaptureFixture[str]) -> None:
    reserve("a", engine=EngineKind.CONTAINERD)
    reserve("b", bare=True)
    assert cli.main(["sandbox", "list"]) == 0
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()] == ["containerd", "bare"]
    assert cli.main(["sandbox", "list", "--json"]) == 0
    seen = [(one["bare"], one["engine"]) for one in json.loads(capsys.readouterr().out)]
    assert seen == [(False, "containerd"), (True, None)]


def test_bare_and_an_engine_at_once_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sandbox", "up", "a", "--bare", "--engine=containerd"]) == 4
    assert capsys.readouterr().err.startswith("A bare sandbox has no engine: --bare and --engine=containerd exclude")


def test_an_engine_that_there_is_not_is_told_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["sandbox", "up", "a", "--engine=podman"])
    assert "'podman' is none of overlay2, containerd" in capsys.readouterr().err


def test_help_starts_without_docker() -> None:
    code = (
        "import sys; from deploy_plugin import cli\n"
        "try: cli.main(['sandbox', '--help'])\n"
        "except SystemExit: print('docker' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).endswith("False\n")
