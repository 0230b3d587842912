from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from deploy_plugin.models import AppFolder, Outcome, Recap, StepReport, Target


@pytest.mark.parametrize(
    ("url", "host", "netloc"),
    [
        ("http://example.com", "example.com", "example.com"),
        ("https://example.com:8443", "example.com", "example.com:8443"),
        ("http://127.0.0.11", "127.0.0.11", "127.0.0.11"),
        ("http://127.0.0.1:32768/shop", "127.0.0.1", "127.0.0.1:32768"),
        ("http://[::1]", "[::1]", "[::1]"),
        ("http://[2001:db8::1]:8080", "[2001:db8::1]", "[2001:db8::1]:8080"),
    ],
)
def test_host_is_what_allowed_hosts_holds_and_netloc_what_a_browser_sends(url: str, host: str, netloc: str) -> None:
    target = Target("t", "d", url)
    assert (target.host, target.netloc) == (host, netloc)


def recap(*outcomes: Outcome) -> Recap:
    return Recap(tuple(StepReport(f"step {number}", outcome, 0.5) for number, outcome in enumerate(outcomes)))


@pytest.mark.parametrize(
    ("outcomes", "worst"),
    [
        ([], Outcome.OK),
        ([Outcome.OK, Outcome.SKIPPED], Outcome.OK),
        ([Outcome.OK, Outcome.CHANGED, Outcome.OK], Outcome.CHANGED),
        ([Outcome.CHANGED, Outcome.FAILED], Outcome.FAILED),
        ([Outcome.CHANGED, Outcome.UNREACHABLE], Outcome.UNREACHABLE),
        ([Outcome.FAILED, Outcome.RESCUED], Outcome.RESCUED),
    ],
)
def test_a_recap_is_as_bad_as_its_worst_step(outcomes: list[Outcome], worst: Outcome) -> None:
    assert recap(*outcomes).outcome is worst


def test_a_recap_counts_and_adds_up() -> None:
    both = recap(Outcome.OK, Outcome.OK, Outcome.CHANGED)
    assert (both.count(Outcome.OK), both.count(Outcome.CHANGED), both.count(Outcome.FAILED)) == (2, 1, 0)
    assert both.seconds == 1.5


def test_everything_of_an_app_is_below_one_folder() -> None:
    folder = AppFolder(PurePosixPath("/home/elspeth"), "superlists")
    below = (folder.env_file, folder.data, folder.volume("media"), folder.record("r1"), folder.settings("r1"))
    assert [str(path.relative_to("/home/elspeth/deploy/superlists")) for path in below] == [
        ".env",
        "data",
        "media",
        "releases/r1.json",
        "releases/r1.env",
    ]
