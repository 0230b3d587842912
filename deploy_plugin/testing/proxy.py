"""What Caddy does with the configuration that it is given, as far as a deploy needs it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from deploy_plugin.errors import StepFailed
from deploy_plugin.server.engine import ContainerSpec, Finished


def is_proxy(spec: ContainerSpec) -> bool:
    return bool(spec.command) and tuple(spec.command or ())[:2] == ("caddy", "run")


class FakeProxy:
    """A proxy that runs: it keeps the configuration that it read last, and reads the upstream files at each request."""

    def __init__(self, spec: ContainerSpec) -> None:
        self._folders = spec.reads
        *_, config = spec.command or ("",)
        self._server = self._read_config(config)

    def told(self, command: Sequence[str]) -> Finished:
        """Do what ``caddy reload --config FILE`` says."""
        try:
            self._server = self._read_config(command[-1])
        except StepFailed as error:
            return Finished(1, "", str(error))
        return Finished(0, "")

    def upstream(self, host: str) -> str:
        """Say ``container:port`` for a Host header; empty where the file says nothing."""
        *_, to_the_container = self._routes(host)
        dial = to_the_container["handle"][0]["upstreams"][0]["dial"]
        path = self._outside(dial.removeprefix("{file.").removesuffix("}"))
        return path.read_text(encoding="utf-8").removesuffix("\n") if path.exists() else ""

    def is_closed(self, host: str) -> bool:
        """Whether there is a maintenance page for a Host header."""
        closed, *_ = self._routes(host)
        there = closed["match"][0]["file"]
        return self._outside(f"{there['root']}{there['try_files'][0]}").exists()

    def _routes(self, host: str) -> Sequence[dict[str, Any]]:
        for route in self._server["routes"]:
            if "match" not in route or host.partition(":")[0] in route["match"][0]["host"]:
                found: Sequence[dict[str, Any]] = route["handle"][0]["routes"]
                return found
        raise AssertionError(f"no route for {host}")

    def _read_config(self, inside: str) -> dict[str, Any]:
        path = self._outside(inside)
        try:
            server: dict[str, Any] = json.loads(path.read_bytes())["apps"]["http"]["servers"]["sites"]
        except (OSError, ValueError, KeyError) as error:
            raise StepFailed("Caddy does not take its configuration.", got=str(error)) from error
        return server

    def _outside(self, inside: str) -> Path:
        ((here, there),) = self._folders.items()
        return Path(here) / PurePosixPath(inside).relative_to(there)
