"""The machine and the versions that the figures belong to."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from benchmarks.clock import said
from benchmarks.project import CHECKOUT
from benchmarks.server import Server

GIB = 1024**3
LOAD = 0.5


def describe() -> Mapping[str, str]:
    """Say what this machine is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{memory / GIB:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", ""),
    }


def busy() -> str:
    """Say so where something else is at work here; empty where nothing is."""
    load = os.getloadavg()[0]
    return f"This machine is busy (load {load:.1f}): the figures will tell little.\n" if load > LOAD else ""


def versions(peers: Path, server: Server) -> Mapping[str, str]:
    """Name the version of everything that takes part; ``peers`` is their environment's folder of programs."""
    theirs = _theirs(peers)
    return {
        "pytest-deploy": f"{version('pytest-deploy')}, commit {commit()}",
        "pytest": version("pytest"),
        "Python": platform.python_version(),
        "Ansible": f"ansible-core {theirs['ansible-core']}, community.docker {_collection(peers)}",
        "pyinfra": theirs["pyinfra"],
        "OpenSSH": openssh(),
        "Docker here": said("docker", "version", "--format", "{{.Server.Version}}"),
        "Docker there": server.as_root("docker version --format '{{.Server.Version}}'"),
        "Python there": server.as_root("python3 --version").removeprefix("Python "),
    }


def _processor() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else platform.machine()


def _theirs(peers: Path) -> Mapping[str, str]:
    lines = said(str(peers / "python"), "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check")
    return dict(line.split("==", 1) for line in lines.splitlines() if "==" in line)


def _collection(peers: Path) -> str:
    listed = said(str(peers / "ansible-galaxy"), "collection", "list", "community.docker")
    found = re.search(r"^community\.docker\s+(\S+)", listed, re.MULTILINE)
    return found[1] if found else "?"


def openssh() -> str:
    done = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=True)
    return done.stderr.partition(",")[0].removeprefix("OpenSSH_")


def commit() -> str:
    """Name the commit of this checkout, and say whether it was changed since."""
    commit = said("git", "rev-parse", "--short", "HEAD", folder=CHECKOUT)
    return f"{commit}+changes" if said("git", "status", "--porcelain", folder=CHECKOUT) else commit
