from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy_plugin import health
from deploy_plugin.errors import StepFailed
from deploy_plugin.health import Probe, await_healthy, is_healthy
from deploy_plugin.models import App
from deploy_plugin.server.base import Answer
from deploy_plugin.server.engine import ContainerSpec
from deploy_plugin.testing import FakeServer
from tests.site import TARGET, Site

PROBE = Probe("/health", "staging.example.com:8080", 8888)
SPEC = ContainerSpec("web", "superlists:abc", labels={"deploy.image": "superlists:abc"}, port=8888)
SHORT = 0.25


@pytest.fixture
def running(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    """A server where the container ``web`` runs."""
    monkeypatch.setattr(health, "_PAUSE", 0.01)
    server.engine.add_image("superlists:abc")
    server.engine.start(SPEC)
    return server


def unhealthy(server: FakeServer, probe: Probe = PROBE) -> str:
    with pytest.raises(StepFailed) as caught:
        await_healthy(server, "web", probe, patience=SHORT)
    return str(caught.value)


def refusing(_spec: ContainerSpec, _path: str, _host: str) -> Answer:
    raise ConnectionRefusedError


def test_the_question_is_the_one_a_visitors_browser_would_ask(running: FakeServer, app: App, site: Site) -> None:
    await_healthy(running, "web", Probe.of(app, TARGET))
    assert site.asked == [("web", "/health", "staging.example.com:8080")]


def test_it_is_asked_again_until_the_answer_is_good(running: FakeServer) -> None:
    answers: Iterator[int | None] = iter((None, 503, 500, 204))

    def slow_to_start(_spec: ContainerSpec, _path: str, _host: str) -> int:
        answer = next(answers)
        if answer is None:
            raise ConnectionResetError
        return answer

    running.engine.site = slow_to_start
    await_healthy(running, "web", PROBE)
    assert next(answers, "all were asked for") == "all were asked for"


def test_a_container_that_died_shows_its_exit_code_and_its_log(running: FakeServer) -> None:
    running.engine.remove("web")
    running.engine.dies("web", exit_code=3, log="ModuleNotFoundError: lists")
    running.engine.start(SPEC)
    said = unhealthy(running)
    assert "exit code 3" in said
    assert "ModuleNotFoundError: lists" in said


def test_a_container_that_somebody_removed_is_said_to_be_gone(running: FakeServer) -> None:
    running.engine.remove("web")
    assert "web is gone" in unhealthy(running)


def test_400_names_allowed_hosts_and_the_host_at_once(running: FakeServer, site: Site) -> None:
    site.status = 400
    said = unhealthy(running)
    assert "ALLOWED_HOSTS" in said
    assert "staging.example.com:8080" in said
    assert len(site.asked) == 1


def test_a_redirect_says_where_to_at_once(running: FakeServer, site: Site) -> None:
    site.status = 302
    assert "redirects to /login" in unhealthy(running)
    assert len(site.asked) == 1


def test_an_answer_that_stays_bad_is_named_with_the_path(running: FakeServer, site: Site) -> None:
    site.status = 500
    said = unhealthy(running)
    assert "/health answers 500" in said
    assert "health in deploy.toml" in said
    assert len(site.asked) > 1


def test_a_port_where_nothing_answers_is_named(running: FakeServer) -> None:
    running.engine.site = refusing
    assert "Nothing answers on port 8888" in unhealthy(running)


def test_the_port_is_the_images_where_nobody_says_one(running: FakeServer) -> None:
    container = running.engine.container("web")
    assert container
    assert health.port_of(running, container, Probe("/", "h", None)) == 8888
    assert health.port_of(running, container, Probe("/", "h", 80)) == 80


def test_an_image_without_expose_says_where_to_write_the_port(running: FakeServer) -> None:
    running.engine.add_image("superlists:abc", ports=())
    said = unhealthy(running, Probe("/", "h", None))
    assert "EXPOSE" in said
    assert "deploy.toml" in said


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (204, True), (302, False), (400, False), (500, False)])
def test_one_look_says_whether_it_is_well(running: FakeServer, site: Site, status: int, *, healthy: bool) -> None:
    site.status = status
    container = running.engine.container("web")
    assert container
    assert is_healthy(running, container, PROBE) is healthy


def test_who_does_not_answer_is_not_well(running: FakeServer) -> None:
    running.engine.site = refusing
    container = running.engine.container("web")
    assert container
    assert not is_healthy(running, container, PROBE)
