from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploy_plugin.git import Commit, commit_of


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Edith", "-c", "user.email=edith@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    site = tmp_path / "site"
    site.mkdir()
    (site / "app.py").write_text("one\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def test_a_clean_folder_is_at_its_commit(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert commit_of(repository) == Commit(head)
    assert str(commit_of(repository)) == head
    assert Commit(head).short == head[:7]


@pytest.mark.parametrize("name", ["app.py", "new.py"])
def test_something_uncommitted_shows(repository: Path, name: str) -> None:
    (repository / "site" / name).write_text("two\n")
    assert str(commit_of(repository / "site")) == git(repository, "rev-parse", "HEAD") + "+changes"


def test_what_is_uncommitted_elsewhere_does_not_matter(repository: Path) -> None:
    (repository / "notes").write_text("x")
    commit = commit_of(repository / "site")
    assert commit
    assert not commit.changed


def test_a_repository_without_a_commit_has_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert commit_of(tmp_path) is None


def test_a_folder_outside_of_git_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_of(tmp_path) is None


def test_a_machine_without_git_has_none(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert commit_of(repository) is None
