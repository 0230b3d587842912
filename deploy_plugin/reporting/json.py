"""The recap for machines."""

from __future__ import annotations

import json
from pathlib import Path

from deploy_plugin.errors import ConfigError
from deploy_plugin.models import Recap, Release, Target


def start_anew(path: Path) -> None:
    """Remove what an earlier run wrote; ``ConfigError`` where nothing can be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        path.unlink()
    except OSError as error:
        why = f"{path.parent} is no folder" if isinstance(error, FileExistsError) else error.strerror
        raise ConfigError(f"--deploy-json={path} can't be written: {why}.", hint="Give the path of a file.") from error


def write(path: Path, target: Target, release: Release | None, recap: Recap, bytes_sent: int) -> None:
    """Write one object; ``release``, ``commit`` and ``image`` are null where the run chose no release."""
    report = {
        "target": target.name,
        "release": release and release.id,
        "commit": release and release.commit,
        "image": release and release.image,
        "url": target.url,
        "bytes_sent": bytes_sent,
        "outcome": recap.outcome,
        "steps": [
            {
                "title": step.title,
                "outcome": step.outcome,
                "seconds": round(step.seconds, 3),
                "reason": step.reason,
            }
            for step in recap.steps
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
