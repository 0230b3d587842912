from __future__ import annotations

from pathlib import Path

import pytest

from tests.database.django_project import DjangoProject


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> DjangoProject:
    return DjangoProject.make(tmp_path_factory.mktemp("django") / "project")


@pytest.fixture
def django(made: DjangoProject, tmp_path: Path) -> DjangoProject:
    """A Django project with a database of its own: one list with six items, and a row of each other model but one."""
    return made.copy(tmp_path / "project")
