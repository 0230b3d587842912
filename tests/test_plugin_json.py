"""The recap for machines: of success, of failure, and where it can't be written."""

from __future__ import annotations

import errno

import pytest

from deploy_plugin.reporting import json
from tests.inner import Project, said
from tests.site import Site


def test_the_recap_for_machines_tells_of_success(deployable: Project) -> None:
    deployable.run("--deploy-to=staging", "--deploy-json=recap.json")
    recap = deployable.recap()
    assert (recap["target"], recap["url"]) == ("staging", "http://staging.example.com")
    assert (recap["outcome"], recap["steps"][-1]["outcome"]) == ("changed", "changed")
    assert recap["image"].startswith("superlists:")
    assert recap["bytes_sent"] > 0


def test_the_recap_for_machines_tells_of_failure(deployable: Project, site: Site) -> None:
    site.migrate_fails = "no"
    deployable.run("--deploy-to=staging", "--deploy-json=recap.json")
    recap = deployable.recap()
    assert recap["outcome"] == recap["steps"][-1]["outcome"] == "failed"
    assert recap["steps"][-1]["title"] == "Migrate"
    assert "manage.py migrate" in recap["steps"][-1]["reason"]
    assert recap["release"]


@pytest.mark.parametrize("fails", ["", "no such column"])
def test_a_recap_that_can_not_be_written_at_the_end_hides_nothing(
    deployable: Project, monkeypatch: pytest.MonkeyPatch, site: Site, fails: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(json, "write", full)
    site.migrate_fails = fails
    result = deployable.run("--deploy-to=staging", "--deploy-json=recap.json")
    assert result.ret == (30 if fails else 0)
    assert "--deploy-json=recap.json could not be written: No space left on device." in said(result)
    assert fails in said(result)
