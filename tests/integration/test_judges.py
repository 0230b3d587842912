"""The infra tests say no to a server that is wrong: each is seen failing for what it is there to find."""

from __future__ import annotations

import pytest

from tests.integration.projects import Project, Run
from tests.integration.servers import RealServer

# The same image, name and labels, and the same site; but as somebody would run it by hand.
WITHOUT_CARE = """
set -e
name=$(cut -d: -f1 deploy/proxy/upstreams/superlists)
image=$(docker inspect -f '{{.Config.Image}}' $name)
labels=$(docker inspect -f '{{range $key, $value := .Config.Labels}}-l {{$key}}={{$value}} {{end}}' $name)
docker rm -f $name >/dev/null
env=deploy/superlists/releases/$(basename $(ls deploy/superlists/releases/*.env))
care="-u 0 --cap-add NET_ADMIN -p 8443:8888"
docker run -d --name $name $labels --env-file $env --network deploy $care $image >/dev/null
sleep 1
"""
PROXY_WITHOUT_CARE = """
docker rm -f proxy-80 >/dev/null
docker run -d --name proxy-80 --network deploy -u 0 -p 80:8080 -p 8443:8080 -v $HOME/deploy/proxy:/proxy \\
    caddy:2.11 caddy run --config /proxy/80.json >/dev/null
sleep 1
"""
PROXY_BY_HAND = {
    "test_only_the_site_s_port_is_published",
    "test_the_proxy_can_write_nothing_of_the_server_s",
    "test_what_holds_the_port_can_do_no_more_than_it_needs",
    "test_what_holds_the_port_runs_and_comes_back_by_itself",
}
BY_HAND = {
    "test_it_can_do_no_more_than_it_needs",
    "test_it_comes_back_by_itself",
    "test_it_is_not_root",
    "test_its_log_does_not_fill_the_disk",
    "test_nothing_else_of_the_app_can_be_reached",
    "test_the_folder_that_holds_it_is_mounted",
}


@pytest.fixture
def judged(empty_server: RealServer, project: Project) -> RealServer:
    """A deployed server that all infra tests of this checkout pass on."""
    project.take("infra_tests")
    run = project.pytest(f"--deploy-to={empty_server.target}")
    assert run.exit_code == 0, run.output
    return empty_server


def judge(project: Project, server: RealServer) -> Run:
    return project.pytest(f"--verify-on={server.target}", "-n2")


def test_secrets_that_others_can_read_or_that_are_missing(judged: RealServer, project: Project) -> None:
    secret = judged.sh("sed -n 's/^DJANGO_SECRET_KEY=//p' deploy/superlists/.env")
    judged.sh("chmod 644 deploy/superlists/.env")
    readable = judge(project, judged)
    judged.sh("sed -i s/DJANGO_SECRET_KEY/OTHER/ deploy/superlists/.env; chmod 600 deploy/superlists/.env")
    missing = judge(project, judged)

    assert readable.failed_tests == {"test_only_its_owner_can_read_the_env_file"}
    assert missing.failed_tests == {"test_every_secret_has_a_value"}
    assert len(secret) == 50
    assert secret not in readable.output + missing.output


def test_a_database_that_can_not_be_written_or_is_broken(judged: RealServer, project: Project) -> None:
    judged.sh("chmod 400 deploy/superlists/data/db.sqlite3")
    read_only = judge(project, judged)
    judged.sh("chmod 600 deploy/superlists/data/db.sqlite3")
    judged.sh("head -c 4096 /dev/zero | dd of=deploy/superlists/data/db.sqlite3 bs=4096 seek=2 conv=notrunc 2>&1")
    broken = judge(project, judged)

    assert "test_it_is_whole_and_the_app_can_write_it" in read_only.failed_tests
    assert "test_it_is_whole_and_the_app_can_write_it" in broken.failed_tests


def test_a_migration_that_is_not_applied(judged: RealServer, project: Project) -> None:
    judged.in_app("python manage.py migrate lists 0002")

    assert judge(project, judged).failed_tests == {"test_every_migration_is_applied"}


def test_a_second_way_in(judged: RealServer, project: Project) -> None:
    image = judged.sh("docker images -q superlists | head -1")
    judged.sh(f"docker run -d -p 8081:8888 -l deploy.app=superlists --entrypoint sleep {image} 99")

    run = judge(project, judged)

    assert run.failed_tests == {"test_nothing_else_of_the_app_can_be_reached"}
    assert "Something else listens on port 8081" in run.output


def test_a_container_that_somebody_started_by_hand(judged: RealServer, project: Project) -> None:
    judged.sh(WITHOUT_CARE)

    assert judge(project, judged).failed_tests >= BY_HAND


def test_a_proxy_that_somebody_started_by_hand(judged: RealServer, project: Project) -> None:
    judged.sh(PROXY_WITHOUT_CARE)

    assert judge(project, judged).failed_tests == PROXY_BY_HAND


def test_a_proxy_that_sends_visitors_to_a_closed_door(judged: RealServer, project: Project) -> None:
    judged.sh("sed -i s/8888/8889/ deploy/proxy/upstreams/superlists")

    run = judge(project, judged)

    assert run.failed_tests == {"test_the_site_answers", "test_visitors_are_sent_to_the_release"}


def test_a_proxy_that_is_gone(judged: RealServer, project: Project) -> None:
    judged.sh("docker stop -t 1 proxy-80")

    failed = judge(project, judged).failed_tests

    assert {"test_the_site_answers", "test_what_holds_the_port_runs_and_comes_back_by_itself"} <= failed


def test_a_site_that_is_gone(judged: RealServer, project: Project) -> None:
    judged.sh("docker stop -t 1 $(docker ps -q)")

    run = judge(project, judged)

    assert run.exit_code == 30
    assert "No release of superlists serves" in run.output
