"""The project that is deployed: a copy of this checkout's site, changed as its developers would."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clock import Failed, said

CHECKOUT = Path(__file__).resolve().parents[1]
SITE = ("src", "requirements/site.txt", "Dockerfile", ".dockerignore")
PEERS = Path(__file__).resolve().parent / "peers"
APP = "benchmarked-site"
VIEWS = "src/lists/views.py"
REQUIREMENTS = "requirements/site.txt"
# The line of the health view that is the one line to change.
ANSWER = re.compile(r'return HttpResponse\(f?"ok[^"]*"')
LABEL = "pytest-deploy.benchmark"
DEPENDENCY = """\
six==1.17.0 \\
    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274
"""

DEPLOY_TOML = f"""\
[app]
name = "{APP}"
health = "/health"
port = 8888

[app.env]
DJANGO_ALLOWED_HOSTS = "{{host}}"
DJANGO_DATABASE_PATH = "/data/db.sqlite3"

[app.secrets]
DJANGO_SECRET_KEY = {{ generate = 50 }}

[database]
path = "/data/db.sqlite3"
"""
TEST = "infra_tests/test_it.py"
FILES = {
    "deploy.toml": DEPLOY_TOML,
    "pytest.ini": "[pytest]\n",
    TEST: "def test_it_is_deployed(deployment):\n    assert deployment.release.id\n",
    ".gitignore": "__pycache__/\n.pytest_cache/\n/deploy.json\n/deploy/\n",
}


@dataclass
class Project:
    """A folder under git, with the site in it and all that each tool needs to deploy it."""

    folder: Path
    title: str
    """Goes into each of its changes: nobody else's build can have made them already."""
    says: str = "as it was"
    """What its health view answers in its present state, and in no earlier one."""
    changes: int = 0

    @classmethod
    def copied(cls, folder: Path, title: str) -> Project:
        """Make it from this checkout, which stays as it is."""
        for name in SITE:
            source, copy = CHECKOUT / name, folder / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "*.sqlite3"))
            else:
                shutil.copy2(source, copy)
        shutil.copytree(PEERS, folder / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
        project = cls(folder, title)
        for name, text in FILES.items():
            project.path(name).parent.mkdir(exist_ok=True)
            project.path(name).write_text(text, encoding="utf-8")
        # By the label all that was built here is found again, and removed.
        project.edit("Dockerfile", re.compile("^(FROM .*)$", re.MULTILINE), rf"\1\nLABEL {LABEL}=true")
        project.answer(f'"ok, {project.says}\\n"')
        said("git", "init", "--quiet", folder=folder)
        project.commit()
        return project

    def change_a_line(self) -> None:
        self.changes += 1
        self.says = f"{self.title}, change {self.changes}"
        self.answer(f'"ok, {self.says}\\n"')
        self.commit()

    def add_a_dependency(self) -> None:
        """Require one more package, and show that it is there; the comment keeps tools from sharing its layer."""
        path = self.path(REQUIREMENTS)
        path.write_text(f"# {self.says}\n{path.read_text(encoding='utf-8')}{DEPENDENCY}", encoding="utf-8")
        self.edit(VIEWS, re.compile("^import logging$", re.MULTILINE), "import logging\n\nimport six")
        self.answer(f'f"ok, {self.says}, six {{six.__version__}}\\n"')
        self.says = f"{self.says}, six 1.17.0"
        self.commit()

    def grow(self, size: int) -> None:
        """Add a layer of so many bytes that no compression makes smaller."""
        self.edit(
            "Dockerfile", re.compile(r"\Z"), f"USER 0\nRUN head -c {size} /dev/urandom >/random\nUSER 1234:1234\n"
        )
        self.commit()

    def answer(self, literal: str) -> None:
        self.edit(VIEWS, ANSWER, f"return HttpResponse({literal}".replace("\\", r"\\"))

    def edit(self, name: str, pattern: re.Pattern[str], replacement: str) -> None:
        text, count = pattern.subn(replacement, self.path(name).read_text(encoding="utf-8"))
        if not count:
            raise Failed(f"{name} has nothing like {pattern.pattern}: the benchmark does not know this site.")
        self.path(name).write_text(text, encoding="utf-8")

    def commit(self) -> None:
        said("git", "add", "--all", folder=self.folder)
        identity = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.com")
        said("git", *identity, "commit", "--quiet", "--message", self.says, folder=self.folder)

    def path(self, name: str) -> Path:
        return self.folder / name
