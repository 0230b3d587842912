"""What becomes of a deploy, by what its tests say: an inner pytest on a server that is a folder."""

from __future__ import annotations

import os
import signal

import pytest

from deploy_plugin import ending
from deploy_plugin.errors import StepFailed
from deploy_plugin.proxy import upstreams
from deploy_plugin.testing import FakeServer
from tests.inner import Project, said
from tests.site import running

FAILS = "def test_infra(): assert False\n"
FLAKY = "seen = []\ndef test_infra():\n    seen.append(1)\n    assert len(seen) > 1\n"
BROKEN_FIXTURE = "import pytest\n@pytest.fixture\ndef browser(): raise OSError\ndef test_infra(browser): pass\n"
INTERRUPTED = "def test_infra(): raise KeyboardInterrupt\n"


@pytest.fixture
def old(deployable: Project, server: FakeServer) -> str:
    """The release that serves; the next deploy is another."""
    deployable.run("--deploy-to=staging")
    deployable.write("app.py", "print('two')\n")
    found = upstreams.told(server, "superlists")
    assert found
    return found


@pytest.mark.parametrize("tests", [FAILS, INTERRUPTED])
def test_failing_tests_bring_the_release_before_back(
    deployable: Project, server: FakeServer, old: str, tests: str
) -> None:
    deployable.write("infra_tests/test_infra.py", tests)
    result = deployable.run("--deploy-to=staging", "--deploy-on-failure=rollback", "--deploy-json=recap.json")
    assert result.ret == (2 if tests == INTERRUPTED else 1)
    assert upstreams.told(server, "superlists") == old
    assert running(server) == {old}
    result.stdout.fnmatch_lines(
        ["*deploy rollback on staging*", f"*rescued  Take the release back: {old} serves again*", "*rescued=1*"]
    )
    assert deployable.recap()["outcome"] == "rescued"


def test_by_default_only_live_goes_back(deployable: Project, server: FakeServer, old: str) -> None:
    deployable.write("infra_tests/test_infra.py", FAILS)
    result = deployable.run("--deploy-to=staging")
    assert result.ret == 1
    assert upstreams.told(server, "superlists") != old
    assert "Tests failed, and the new release is kept, to be looked at (on_failure)" in said(result)


def test_the_target_says_what_failing_tests_do(deployable: Project, server: FakeServer, old: str) -> None:
    toml = (deployable.pytester.path / "deploy.toml").read_text()
    deployable.write("deploy.toml", toml.replace("[targets.live]", 'on_failure = "rollback"\n[targets.live]'))
    deployable.write("infra_tests/test_infra.py", FAILS)
    deployable.run("--deploy-to=staging")
    assert upstreams.told(server, "superlists") == old


def test_a_failure_is_tried_again_before_it_may_veto(deployable: Project, server: FakeServer, old: str) -> None:
    deployable.write("infra_tests/test_infra.py", FLAKY)
    result = deployable.run("--deploy-to=staging", "--deploy-on-failure=rollback")
    assert result.ret == 0
    assert upstreams.told(server, "superlists") != old


def test_a_fixture_s_error_is_no_verdict(deployable: Project, server: FakeServer, old: str) -> None:
    deployable.write("infra_tests/test_infra.py", BROKEN_FIXTURE)
    result = deployable.run("--deploy-to=staging", "--deploy-on-failure=rollback")
    assert result.ret == 1
    assert upstreams.told(server, "superlists") != old
    assert "No test failed, but 1 could not be tried" in said(result)


def test_a_first_release_has_nothing_to_go_back_to(deployable: Project, server: FakeServer) -> None:
    deployable.write("infra_tests/test_infra.py", FAILS)
    result = deployable.run("--deploy-to=staging", "--deploy-on-failure=rollback")
    assert result.ret == 1
    assert len(running(server)) == 1
    assert "there is no release to go back to" in said(result)


def test_nobody_is_sent_back_to_a_release_that_did_not_run(deployable: Project, server: FakeServer, old: str) -> None:
    server.engine.stop(old)
    deployable.write("infra_tests/test_infra.py", FAILS)
    result = deployable.run("--deploy-to=staging", "--deploy-on-failure=rollback")
    assert result.ret == 1
    assert upstreams.told(server, "superlists") != old
    assert "there is no release to go back to" in said(result)


def test_a_rollback_that_fails_is_exit_31(deployable: Project, server: FakeServer, old: str) -> None:
    deployable.write("infra_tests/test_infra.py", FAILS)
    server.engine.fail("stop superlists-*", StepFailed("Docker could not stop it."))
    result = deployable.run("--deploy-to=staging", "--deploy-on-failure=rollback")
    assert result.ret == 31
    assert f"it is not certain that {old} serves again" in said(result)


def interrupt(monkeypatch: pytest.MonkeyPatch, name: str, times: int) -> None:
    """Press Ctrl-C so many times as soon as it is decided what becomes of the release."""
    decided = getattr(ending, name)

    def interrupted(*words: object, **more: object) -> None:
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
        decided(*words, **more)

    monkeypatch.setattr(ending, name, interrupted)


@pytest.mark.parametrize(("times", "exit_code"), [(1, 0), (2, 30)])
def test_who_stops_a_release_that_is_about_to_stay_has_to_mean_it(
    deployable: Project, old: str, monkeypatch: pytest.MonkeyPatch, times: int, exit_code: int
) -> None:
    assert old
    interrupt(monkeypatch, "commit", times)
    result = deployable.run("--deploy-to=staging")
    assert result.ret == exit_code
    assert "Ctrl-C: what the tests decided is being done, and nothing else" in said(result)
    assert ("Interrupted as the release was about to stay." in said(result)) == (times > 1)
    assert ("it goes back by itself within 600 s" in said(result)) == (times > 1)
    assert "Traceback" not in said(result)


@pytest.mark.parametrize("times", [1, 2])
def test_who_stops_a_rollback_has_to_mean_it(
    deployable: Project, server: FakeServer, old: str, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    interrupt(monkeypatch, "take_back", times)
    deployable.write("infra_tests/test_infra.py", FAILS)
    result = deployable.run("--deploy-to=staging", "--deploy-on-failure=rollback")
    assert result.ret == (1 if times == 1 else 31)
    assert (upstreams.told(server, "superlists") == old) == (times == 1)
    assert ("Interrupted as visitors were sent back: it is not certain where they go." in said(result)) == (times > 1)
    assert "Traceback" not in said(result)


def test_a_server_that_went_back_by_itself_is_exit_30(deployable: Project, server: FakeServer, old: str) -> None:
    file = server.home / "deploy/superlists/unconfirmed"
    deployable.write("infra_tests/test_infra.py", f"import os\ndef test_infra(): os.remove({str(file)!r})\n")
    result = deployable.run("--deploy-to=staging")
    assert old
    assert result.ret == 30
    assert "Nobody confirmed the new release" in said(result)
