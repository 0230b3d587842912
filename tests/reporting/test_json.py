from __future__ import annotations

import json
from pathlib import Path

from deploy_plugin.models import Outcome, Recap, Release, StepReport
from deploy_plugin.reporting.json import write
from tests.site import TARGET

RELEASE = Release("20261124-031205-1a2b3c4", "1a2b3c4d", "superlists:abc")
RECAP = Recap(
    (
        StepReport("Build image", Outcome.OK, 0.12345),
        StepReport("Migrate", Outcome.CHANGED, 1.0, "lists.0001_initial not applied yet"),
    )
)


def test_the_report_is_one_object_with_the_documented_keys(tmp_path: Path) -> None:
    path = tmp_path / "new" / "recap.json"
    write(path, TARGET, RELEASE, RECAP, 42)
    assert json.loads(path.read_text()) == {
        "target": "staging",
        "release": "20261124-031205-1a2b3c4",
        "commit": "1a2b3c4d",
        "image": "superlists:abc",
        "url": "http://staging.example.com:8080",
        "bytes_sent": 42,
        "outcome": "changed",
        "steps": [
            {"title": "Build image", "outcome": "ok", "seconds": 0.123, "reason": None},
            {
                "title": "Migrate",
                "outcome": "changed",
                "seconds": 1.0,
                "reason": "lists.0001_initial not applied yet",
            },
        ],
    }


def test_a_run_that_chose_no_release_says_null(tmp_path: Path) -> None:
    write(tmp_path / "recap.json", TARGET, None, Recap(), 0)
    report = json.loads((tmp_path / "recap.json").read_text())
    assert (report["release"], report["commit"], report["image"], report["steps"]) == (None, None, None, [])
