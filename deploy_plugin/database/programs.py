"""Run a program of ours in the app's image: by its own Python, with its own settings."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from deploy_plugin.errors import StepFailed
from deploy_plugin.hints import hint_for
from deploy_plugin.server.engine import Finished

MARK = "pytest-deploy:"
_LINES = 25


def text(name: str) -> str:
    """The program's text, to be run by ``python -c`` or ``manage.py shell -c``."""
    return files("deploy_plugin.database.inside").joinpath(f"{name}.py").read_text(encoding="utf-8")


def answer(done: Finished, what: str) -> dict[str, Any]:
    """What a program printed behind its mark; the app may have printed before it. ``what`` could not be done else."""
    marked = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if not done.ok or not marked:
        said = "\n".join(done.text.splitlines()[-_LINES:])
        raise StepFailed(f"{what} could not be done: exit code {done.exit_code}.", got=said, hint=hint_for(said))
    found: dict[str, Any] = json.loads(marked[-1].removeprefix(MARK))
    return found
