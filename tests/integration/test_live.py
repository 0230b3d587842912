"""A live target, on a real server: how it begins, what may run there, and who is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration.projects import Project, Run
from tests.integration.servers import RealServer

STOPPED = 30
LIVE = """
[targets.live]
host = "{target}"
live = true
"""
COUNT = "from lists.models import *; print(List.objects.count())"


@dataclass
class Site:
    """A live site with its checkout, and what its first two runs left."""

    project: Project
    server: RealServer
    refused: Run
    there_after_it: str
    first: Run


@pytest.fixture(scope="module")
def site(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The to-do site on its live server, with the real infra and functional tests."""
    project = Project.copy_of_the_site(tmp_path_factory.mktemp("live") / "superlists")
    for folder in ("infra_tests", "functional_tests"):
        project.take(folder)
    text = (project.folder / "deploy.toml").read_text(encoding="utf-8")
    project.write("deploy.toml", text + LIVE.format(target=server.target))
    project.write("pytest.ini", "[pytest]\naddopts = -p no:django -p no:cacheprovider\npythonpath = .\n")
    project.commit("A live target")
    refused = project.pytest("--deploy-to=live")
    there = server.sh("docker ps -aq; docker images -q; ls -A deploy 2>/dev/null || true")
    return Site(project, server, refused, there, project.pytest("--deploy-to=live", "--deploy-first", "-v"))


@pytest.fixture
def unchanged(site: Site) -> Iterator[None]:
    """Nothing on the server is another after the test."""
    before = (site.server.containers(), site.server.files())
    yield
    assert (site.server.containers(), site.server.files()) == before


def test_without_a_database_it_stops_before_anything_is_there(site: Site) -> None:
    assert site.refused.exit_code == STOPPED, site.refused.output
    assert "live is live and has no database" in site.refused.output
    assert "--deploy-first" in site.refused.output
    assert site.there_after_it == ""


def test_typed_to_be_the_first_it_is_deployed_and_judged_by_what_is_live_safe(site: Site) -> None:
    assert site.first.exit_code == 0, site.first.output
    assert "(LIVE)" in site.first.output
    assert "::test_it_can_do_no_more_than_it_needs[" in site.first.output
    assert "test_the_home_page_is_centred[phone] PASSED" in site.first.output
    assert site.server.status("/health") == 200


def test_what_is_not_live_safe_is_named_and_leaves_nothing(site: Site) -> None:
    assert "deselected: the target is live" in site.first.output
    assert "test_lists.py::test_two_visitors_have_lists_of_their_own PASSED" not in site.first.output
    assert "more" in site.first.output.partition("not run on live")[2]
    count = site.server.shell(COUNT)
    assert count == "0"


def test_the_server_remembers_that_it_is_live(site: Site) -> None:
    remembered = json.loads(site.server.sh("cat deploy/superlists/target.json"))
    assert remembered == {"app": "superlists", "live": True}


@pytest.mark.usefixtures("unchanged")
def test_a_second_deploy_needs_nothing_typed_and_changes_nothing(site: Site) -> None:
    run = site.project.pytest("--deploy-to=live", "infra_tests")
    assert run.exit_code == 0, run.output
    assert set(run.outcomes.values()) == {"ok"}


@pytest.mark.usefixtures("unchanged")
def test_by_its_address_it_is_live_too_and_in_workers(site: Site) -> None:
    box = site.server.sandbox
    here = (f"--verify-on={box.destination}", f"--ssh-config={box.ssh_config}")
    run = site.project.pytest(*here, "-n2", "functional_tests")
    assert run.exit_code == 0, run.output
    assert "(LIVE)" in run.output
    assert "deselected: the target is live" in run.output


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("option", ["--deploy-to", "--verify-on"])
def test_another_checkout_is_told_before_anything_is_changed(site: Site, project: Project, option: str) -> None:
    run = project.pytest(f"{option}={site.server.target}")
    assert run.exit_code == STOPPED, run.output
    assert "is live for superlists, and this checkout does not say so" in run.output
    assert "live = true" in run.output
    assert " passed" not in run.output


# What stands in the way


def test_a_container_on_its_port_is_named_and_runs_on(empty_server: RealServer, project: Project) -> None:
    empty_server.sh("docker run -d --name squatter -p 80:8888 $(docker images -q superlists | head -1) sleep 600")
    before = empty_server.containers()

    run = project.pytest(f"--deploy-to={empty_server.target}")

    assert run.exit_code == STOPPED, run.output
    assert "Port 80 of the server is held by the container squatter" in run.output
    assert empty_server.containers() == before


def test_a_process_on_its_port_is_named_and_runs_on(empty_server: RealServer, project: Project) -> None:
    empty_server.as_root("/usr/sbin/sshd -p 80 -o PidFile=/run/other.pid")
    try:
        run = project.pytest(f"--deploy-to={empty_server.target}")
        assert empty_server.as_root("kill -0 $(cat /run/other.pid) && echo runs") == "runs"
    finally:
        empty_server.as_root("kill $(cat /run/other.pid)")

    assert run.exit_code == STOPPED, run.output
    assert "Port 80 of the server is held by" in run.output
    assert "of the user root" in run.output
    assert empty_server.containers() == {}


def test_the_app_of_another_user_is_named_and_left_alone(empty_server: RealServer, project: Project) -> None:
    empty_server.as_root("useradd -m other && mkdir -p /home/other/deploy/superlists/releases")
    empty_server.as_root("chmod o+x /home/other")
    try:
        run = project.pytest(f"--deploy-to={empty_server.target}")
    finally:
        empty_server.as_root("userdel -r other 2>/dev/null || rm -rf /home/other")

    assert run.exit_code == STOPPED, run.output
    assert "superlists is on this server already" in run.output
    assert "/home/other/deploy/superlists" in run.output
    assert empty_server.containers() == {}


def test_its_container_is_named_too(empty_server: RealServer, project: Project) -> None:
    image = empty_server.sh("docker images -q superlists | head -1")
    mount = "-v /home/other/deploy/superlists/data:/data"
    empty_server.sh(f"docker run -d --name theirs --label deploy.app=superlists {mount} {image} sleep 600")
    before = empty_server.containers()

    run = project.pytest(f"--deploy-to={empty_server.target}")

    assert run.exit_code == STOPPED, run.output
    assert "the container theirs uses /home/other/deploy/superlists/data" in run.output
    assert empty_server.containers() == before
