"""Projects to deploy: copies of this one's site, to change and to break."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
SITE = ("src", "requirements/site.txt", "Dockerfile", ".dockerignore", "deploy.toml")
PYTEST_INI = "[pytest]\naddopts = -p no:django -p no:cacheprovider\n"
A_TEST = "def test_it_is_deployed(deployment):\n    assert deployment.release.id\n"


@dataclass(frozen=True)
class Run:
    """What one pytest command left."""

    exit_code: int
    output: str
    report: Mapping[str, Any]
    """What ``--deploy-json`` wrote; empty where it wrote nothing."""

    @property
    def failed_tests(self) -> set[str]:
        return set(re.findall(r"^FAILED \S+::(\w+)", self.output, re.MULTILINE))

    @property
    def outcomes(self) -> dict[str, str]:
        return {step["title"]: step["outcome"] for step in self.report["steps"]}


@dataclass(frozen=True)
class Project:
    """A checkout of somebody's Django site."""

    folder: Path

    @classmethod
    def copy_of_the_site(cls, folder: Path) -> Project:
        for name in SITE:
            source, copy = CHECKOUT / name, folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, copy)
        project = cls(folder)
        project.write("pytest.ini", PYTEST_INI)
        project.write("infra_tests/test_it.py", A_TEST)
        project.write(".gitignore", "__pycache__/\n.pytest_cache/\n")
        project.git("init", "--quiet")
        project.commit("The site")
        return project

    def take(self, folder: str) -> None:
        """Take a folder of this checkout into the project, in place of its own."""
        shutil.rmtree(self.folder / folder, ignore_errors=True)
        shutil.copytree(CHECKOUT / folder, self.folder / folder, ignore=shutil.ignore_patterns("__pycache__"))

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r}"
        self.write(name, text.replace(old, new))

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def pytest(self, *arguments: str, env: Mapping[str, str] | None = None) -> Run:
        """Run pytest there as its user would, in a process of its own."""
        report = self.folder / "deploy.json"
        report.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--deploy-json=deploy.json", *arguments],
            cwd=self.folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,  # ours is every child's: one may have made it non-blocking, which Ansible refuses
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        found = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
        return Run(done.returncode, done.stdout, found)
