from __future__ import annotations

from dataclasses import replace

import pytest

from deploy_plugin.errors import StepFailed
from deploy_plugin.server.engine import ContainerSpec, Engine, Finished
from deploy_plugin.testing import FakeEngine

WEB = ContainerSpec("web", "site:1", labels={"app": "site"}, port=8888, publish=80)


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.add_image("site:1")
    return engine


def test_it_is_an_engine(engine: FakeEngine) -> None:
    as_engine: Engine = engine
    image = as_engine.image("site:1")
    assert image
    assert image.ports == (8888,)
    assert as_engine.image("site:2") is None


def test_what_one_saves_another_loads(engine: FakeEngine) -> None:
    other = FakeEngine()
    other.load(engine.save("site:1"))
    assert other.images.keys() == {"site:1"}
    assert other.journal == ["load site:1"]


def test_a_container_is_started_stopped_started_again_and_removed(engine: FakeEngine) -> None:
    assert engine.start(WEB).running
    engine.stop("web")
    stopped = engine.container("web")
    assert stopped
    assert (stopped.running, stopped.address) == (False, "")
    engine.start_again("web")
    again = engine.container("web")
    assert again
    assert (again.running, again.id) == (True, stopped.id)
    engine.remove("web")
    engine.remove("web")
    assert engine.container("web") is None
    assert engine.journal == ["start web", "stop web", "start_again web", "remove web"]


def test_a_port_is_given_once_and_who_does_not_get_it_is_gone(engine: FakeEngine) -> None:
    engine.start(WEB)
    with pytest.raises(StepFailed, match="could not start second") as caught:
        engine.start(replace(WEB, name="second"))
    assert "80 is already allocated" in caught.value.got
    assert engine.container("second") is None


def test_a_name_and_an_image_are_needed(engine: FakeEngine) -> None:
    engine.start(WEB)
    with pytest.raises(StepFailed, match="could not start web"):
        engine.start(replace(WEB, publish=None))
    with pytest.raises(StepFailed, match="could not create"):
        engine.start(replace(WEB, name="other", image="site:2"))
    assert [one.name for one in engine.containers({})] == ["web"]


def test_containers_are_found_by_all_their_labels_the_newest_first(engine: FakeEngine) -> None:
    for name, labels in (("a", {"app": "site"}), ("b", {"app": "site", "role": "x"}), ("c", {"app": "blog"})):
        engine.start(replace(WEB, name=name, labels=labels, publish=None))
    assert [one.name for one in engine.containers({"app": "site"})] == ["b", "a"]
    assert [one.name for one in engine.containers({"app": "site", "role": "x"})] == ["b"]


def test_a_container_that_is_to_die_has_its_code_and_its_log(engine: FakeEngine) -> None:
    engine.dies("w*", exit_code=3, log="one\ntwo\nthree")
    assert (engine.start(WEB).status, engine.start(replace(WEB, name="x")).status) == ("exited", "running")
    died = engine.container("web")
    assert died
    assert died.exit_code == 3
    assert engine.logs("web", lines=2) == "two\nthree"


def test_a_planned_failure_happens_once_and_changes_nothing(engine: FakeEngine) -> None:
    engine.fail("start w*", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        engine.start(WEB)
    assert (engine.journal, engine.container("web")) == ([], None)
    assert engine.start(WEB).running


def test_only_a_running_container_answers_and_only_on_its_port(engine: FakeEngine) -> None:
    web = engine.start(WEB)
    engine.site = lambda spec, path, host: 200 if (spec.name, path, host) == ("web", "/", "example.com") else 404
    assert engine.ask(web.address, 8888, "/", "example.com").status == 200
    assert engine.ask(web.address, 8888, "/x", "example.com").status == 404
    with pytest.raises(ConnectionRefusedError):
        engine.ask(web.address, 80, "/", "example.com")
    engine.stop("web")
    with pytest.raises(ConnectionRefusedError):
        engine.ask(web.address, 8888, "/", "example.com")


def test_a_command_leaves_what_the_test_says_in_a_one_off_and_in_a_running_one(engine: FakeEngine) -> None:
    engine.command = lambda spec, command: Finished(1, f"{spec.name}: {' '.join(command)}")
    assert engine.run_once(replace(WEB, command=("check",))).text == "web: check"
    engine.start(WEB)
    assert not engine.exec("web", ("migrate", "--plan")).ok
    assert engine.journal == ["start web"]
