"""What was deployed, written down where the next deploy will look for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from deploy_plugin.database import recorded
from deploy_plugin.models import Release
from deploy_plugin.who import who

if TYPE_CHECKING:
    from deploy_plugin.containers import Containers
    from deploy_plugin.server.base import Server


@dataclass(frozen=True, slots=True)
class KeepRecord:
    """Write the release's record: what, when and from where."""

    path: PurePosixPath
    release: Release
    containers: Containers | None = None
    """Those of the release, where it has a database."""
    title: str = "Keep the record"

    def check(self, server: Server) -> str | None:
        return None if server.read(self.path) is not None else f"{self.path.name} is missing"

    def apply(self, server: Server) -> None:
        record = {
            "release": self.release.id,
            "commit": self.release.commit,
            "image": self.release.image,
            "deployed": datetime.now(UTC).isoformat(timespec="seconds"),
            "by": who(),
            "migrations": recorded.applied(server, self.containers) if self.containers else None,
        }
        server.write(self.path, json.dumps(record, indent=2).encode() + b"\n", mode=0o600)
