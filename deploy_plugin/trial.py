"""On live the tests are tried first, against what serves there: one that fails before the deploy can't judge it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy_plugin.errors import DeployError, StepFailed

_DEPLOY_TO = "--deploy-to"
_FLAGS = frozenset(("--deploy-first", "--deploy-downtime"))
_WITH_VALUE = frozenset(("--deploy-json", "--deploy-on-failure", "--junitxml", "--junit-xml"))
"""What only the deploy itself is to write or to know."""
_TESTS_FAILED = 1
_LINES = 40


def require_fair_tests(typed: Sequence[str], folder: Path) -> None:
    """Run what was typed once more, as a verification, in a process of its own; ``StepFailed`` where a test fails.

    Where nothing serves yet there is nothing to try them on; whatever else goes wrong, the deploy will say itself.
    """
    command = [sys.executable, "-m", "pytest", *as_verification(typed), "--reruns=1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode == _TESTS_FAILED:
        raise StepFailed(
            "The tests fail against the release that serves now, so they can't judge a new one. Nothing was changed.",
            got="\n".join(done.stdout.splitlines()[-_LINES:]),
            hint="Put right what serves, or the tests, first.",
        )
    if done.returncode not in {0, DeployError.exit_code}:
        raise StepFailed(
            f"The tests could not be tried against the release that serves now (exit code {done.returncode}).",
            got="\n".join((done.stdout + done.stderr).splitlines()[-_LINES:]),
            hint="Run them by themselves: pytest --verify-on=…",
        )


def as_verification(typed: Sequence[str]) -> Iterator[str]:
    """Give the arguments of a run that only verifies what the run with these would deploy to."""
    words = iter(typed)
    for word in words:
        name, separator, value = word.partition("=")
        if name == _DEPLOY_TO:
            yield f"--verify-on={value if separator else next(words, '')}"
        elif name in _WITH_VALUE:
            if not separator:
                next(words, None)
        elif name not in _FLAGS:
            yield word
