"""The same with two workers: the controller deploys once, for both."""

from __future__ import annotations

from deploy_plugin.testing import FakeServer
from tests.inner import Project, said
from tests.site import Site

TESTS = """
import pytest

@pytest.mark.parametrize("number", range(4))
def test_it(deployment, base_url, request, number):
    assert base_url == deployment.url == "http://staging.example.com"
    assert request.config.option.hosts == "ssh://elspeth@staging.example.com"
    assert hasattr(request.config, "workerinput")
"""


def test_it_deploys_once_and_every_worker_sees_it(deployable: Project, server: FakeServer) -> None:
    deployable.write("functional_tests/test_functional.py", TESTS)
    result = deployable.run("--deploy-to=staging", "--deploy-json=recap.json", "-n2")
    assert result.ret == 0
    result.assert_outcomes(passed=5)
    assert said(result).count("deploy recap") == 1
    assert [change for change in server.journal if change.startswith("load")] != []
    assert deployable.recap()["outcome"] == "changed"


def test_a_failed_deploy_is_one_error_exit_30_and_no_test_runs(deployable: Project, site: Site) -> None:
    site.migrate_fails = "UNIQUE constraint failed"
    result = deployable.run("--deploy-to=staging", "--deploy-json=recap.json", "-n2")
    assert result.ret == 30
    result.assert_outcomes(errors=1)
    assert said(result).count("UNIQUE constraint failed") == 1
    assert deployable.recap()["outcome"] == "failed"


def test_live_is_live_in_workers_too(deployable: Project) -> None:
    marked = "import pytest\n@pytest.mark.live_safe\ndef test_safe(): pass\ndef test_unsafe(): assert 0\n"
    deployable.write("functional_tests/test_functional.py", marked)
    deployable.run("--deploy-to=live", "--deploy-first", "-n2").assert_outcomes(passed=1)
