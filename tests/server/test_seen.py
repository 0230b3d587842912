"""What was read is not asked for again, until something changes."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.server.base import Answer, Server
from deploy_plugin.server.engine import ContainerSpec
from deploy_plugin.server.seen import read_all, seen, unseen
from deploy_plugin.testing import FakeServer

ALL_BYTES = bytes(range(256))


@pytest.fixture
def home(server: FakeServer) -> Path:
    (server.home / "releases").mkdir()
    for name, content in {
        ".env": b"KEY=x\n",
        "releases/a b.env": ALL_BYTES,
        "releases/2.env": b"",
        "releases/2.json": b"{}",
    }.items():
        (server.home / name).write_bytes(content)
    return server.home


@pytest.fixture
def asked(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was run there, from now on."""
    run, argvs = server.run, []

    def counted(*argv: str | PurePosixPath, stdin: bytes = b"") -> object:
        argvs.append(" ".join(map(str, argv)))
        return run(*argv, stdin=stdin)

    monkeypatch.setattr(server, "run", counted)
    return argvs


def paths(home: Path) -> list[PurePosixPath]:
    return [PurePosixPath(home / name) for name in (".env", "releases", "nothing")]


def test_files_and_the_env_files_of_folders_are_read_whatever_they_hold(server: FakeServer, home: Path) -> None:
    assert {path.name: content for path, content in read_all(server, *paths(home)).items()} == {
        ".env": b"KEY=x\n",
        "a b.env": ALL_BYTES,
        "2.env": b"",
    }


def test_one_that_can_not_be_read_is_a_sentence(server: FakeServer, home: Path) -> None:
    server.install("base64", "echo no permission >&2; exit 1")
    with pytest.raises(StepFailed, match="can't be read on the server") as caught:
        read_all(server, *paths(home))
    assert caught.value.got == "no permission"


def test_what_was_read_is_not_asked_for_again(server: FakeServer, home: Path, asked: list[str]) -> None:
    there = seen(server, *paths(home))
    assert len(asked) == 1
    assert there.read(paths(home)[0]) == b"KEY=x\n"
    assert there.read(paths(home)[2]) is None
    assert there.read(PurePosixPath(home / "releases/2.env")) == b""
    assert read_all(there, *paths(home)[:2]) == read_all(server, *paths(home)[:2])
    assert there.facts == server.facts
    assert len(asked) == 2  # the one that went past it


def test_another_file_is_asked_for_once(server: FakeServer, home: Path, asked: list[str]) -> None:
    there = seen(server, *paths(home))
    for _ in range(2):
        assert there.read(PurePosixPath(home / "releases/other")) is None
    assert len(asked) == 2


def test_who_changes_something_lets_it_be_read_anew(server: FakeServer, home: Path) -> None:
    there: Server = seen(server, *paths(home))
    assert unseen(there) is server
    (home / ".env").write_bytes(b"KEY=y\n")
    assert there.read(paths(home)[0]) == b"KEY=y\n"
    assert paths(home)[0] in read_all(there, *paths(home))
    assert unseen(server) is server


def test_an_engine_is_asked_for_each_thing_once_until_something_changes(server: FakeServer) -> None:
    server.engine.add_image("a:b")
    found = seen(server)
    assert found.engine.container("x") is None
    assert found.engine.containers({"deploy.app": "x"}) == []
    assert found.engine.image("a:b")
    server.engine.start(ContainerSpec("x", "a:b", labels={"deploy.app": "x"}))
    server.engine.add_image("c:d")
    assert found.engine.container("x") is None
    assert found.engine.containers({"deploy.app": "x"}) == []
    assert found.engine.containers({"deploy.app": "y"}) == []
    assert found.engine.image("c:d")
    unseen(found)
    assert found.engine.container("x")
    assert len(found.engine.containers({"deploy.app": "x"})) == 1


def test_what_goes_wrong_is_not_remembered(server: FakeServer) -> None:
    found = seen(server)
    server.engine.fail("image a:b", StepFailed("Docker could not."))
    with pytest.raises(StepFailed):
        found.engine.image("a:b")
    assert found.engine.image("a:b") is None


def test_a_site_is_asked_again_only_where_it_did_not_answer_well(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, statuses = seen(server), iter((503, 200))
    monkeypatch.setattr(server.engine, "ask", lambda *_: Answer(next(statuses), {}, b""))
    said = [found.get("172.17.0.2", 80, "/health", host="x").status for _ in range(3)]
    assert said == [503, 200, 200]
