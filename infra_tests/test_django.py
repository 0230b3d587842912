"""Django itself has nothing to say against this deployment."""

from __future__ import annotations

from collections.abc import Callable


def test_the_deployment_checks_report_nothing(manage_py: Callable[..., str]) -> None:
    assert "no issues" in manage_py("check", "--deploy", "--fail-level=INFO")
