"""The three commands, each as its user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.clock import Command
from benchmarks.project import TEST, Project
from benchmarks.server import Server

OURS, ANSIBLE, PYINFRA = "pytest-deploy", "Ansible", "pyinfra"
NAMES = (OURS, PYINFRA, ANSIBLE)
REPORT = "deploy.json"
PYTEST = str(Path(sys.executable).with_name("pytest"))


class Tool(Protocol):
    """Something that deploys."""

    @property
    def name(self) -> str: ...

    def command(self, project: Project, server: Server, *, slow: bool) -> Command:
        """Give the command that deploys the project as it is; ``slow`` says what link it goes over."""


@dataclass(frozen=True, slots=True)
class PytestDeploy:
    """What this project offers, and one trivial test."""

    name: str = OURS

    def command(self, project: Project, server: Server, *, slow: bool) -> Command:
        del slow  # nobody tells it: it measures
        to = (f"--deploy-to={server.alias}", f"--ssh-config={server.ssh_config}")
        return Command([PYTEST, *to, f"--deploy-json={REPORT}", TEST], project.folder)


@dataclass(frozen=True, slots=True)
class Ansible:
    """``ansible-playbook``, with pipelining, one shared connection, remembered facts."""

    bin: Path
    name: str = ANSIBLE

    def command(self, project: Project, server: Server, *, slow: bool) -> Command:
        folder = project.path("deploy/ansible")
        # Compression helps on the slow link and hinders on the fast one: it gets what is best.
        ssh = f"-F {server.ssh_config} -o Compression={'yes' if slow else 'no'}"
        env = {
            **_environment(self.bin, server),
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder / ".home"),
            "ANSIBLE_SSH_COMMON_ARGS": ssh,
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(_masters(project)),
        }
        return Command([str(self.bin / "ansible-playbook"), "deploy.yml"], folder, env)


@dataclass(frozen=True, slots=True)
class Pyinfra:
    """``pyinfra``, which holds one connection of its own."""

    bin: Path
    name: str = PYINFRA

    def command(self, project: Project, server: Server, *, slow: bool) -> Command:
        env = {
            **_environment(self.bin, server),
            "SSH_CONFIG": str(server.ssh_config),
            "COMPRESS": "yes" if slow else "no",
        }
        argv = [str(self.bin / "pyinfra"), "--yes", "inventory.py", "deploy.py"]
        return Command(argv, project.path("deploy/pyinfra"), env)


def in_round(tools: Sequence[Tool], number: int) -> Sequence[Tool]:
    """Let another one begin each time: nobody always comes first, or always behind the same one."""
    start = number % len(tools)
    return [*tools[start:], *tools[:start]]


def settle(project: Project, server: Server) -> None:
    """End what a command left in the background: the next one starts as on another day."""
    for socket in _masters(project).glob("*"):
        end = ("ssh", "-F", str(server.ssh_config), "-o", f"ControlPath={socket}", "-O", "exit", server.alias)
        subprocess.run(end, capture_output=True, check=True)


def steps(project: Project) -> Mapping[str, float]:
    """Give the seconds of the last command's steps by their titles; empty for tools that don't tell."""
    report = project.path(REPORT)
    if not report.exists():
        return {}
    return {step["title"]: step["seconds"] for step in json.loads(report.read_text(encoding="utf-8"))["steps"]}


def _environment(programs: Path, server: Server) -> dict[str, str]:
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "SERVER": server.alias, "SITE_HOST": server.address}


def _masters(project: Project) -> Path:
    return project.path("deploy/ansible/.masters")
