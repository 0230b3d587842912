"""A small Django project with rows in its database, and what the programs say of it: they run as in a container."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy_plugin.database import programs
from deploy_plugin.server.engine import Finished

FILES = {
    "manage.py": """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.management import execute_from_command_line
print("The app says something.")
execute_from_command_line(sys.argv)
""",
    "settings.py": """
import os
SECRET_KEY = "x"
INSTALLED_APPS = ["lists"]
DATABASES = {"default": {
    "ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"], "OPTIONS": {"timeout": 7},
}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
""",
    "lists/__init__.py": "",
    "lists/migrations/__init__.py": "",
    "lists/models.py": """
from django.db import models

class List(models.Model):
    name = models.CharField(max_length=50)

class Item(models.Model):
    text = models.TextField()
    rank = models.IntegerField(null=True)
    list = models.ForeignKey(List, on_delete=models.CASCADE)

class Shared(List):
    colour = models.CharField(max_length=20)

class Tag(models.Model):
    word = models.CharField(max_length=20, unique=True)
    items = models.ManyToManyField(Item)

class Sum(models.Model):
    one = models.IntegerField()
    double = models.GeneratedField(expression=models.F("one") * 2, output_field=models.IntegerField(), db_persist=True)

class Code(models.Model):
    code = models.CharField(max_length=9, primary_key=True)

class Empty(models.Model):
    note = models.CharField(max_length=20)
""",
}
ROWS = """
from lists.models import *
mine = List.objects.create(name="mine")
for text in ("milk", "milk", "bread", "s3ntinel", "s3ntinel", "s3ntinel"):
    Item.objects.create(text=text, list=mine, rank=None if text == "bread" else 1)
Shared.objects.create(name="ours", colour="green")
Tag.objects.create(word="food").items.add(Item.objects.first())
Sum.objects.create(one=1)
Code.objects.create(code="a")
"""
MIGRATION = """
import time
from django.db import migrations, models
from django.db.models import F, Q, UniqueConstraint, CheckConstraint

class Migration(migrations.Migration):
    dependencies = [("lists", "0001_initial")]
    operations = [{operations}]
"""


@dataclass(frozen=True)
class DjangoProject:
    folder: Path

    @classmethod
    def make(cls, folder: Path) -> DjangoProject:
        project = cls(folder)
        for name, content in FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        project.manage("makemigrations", "lists")
        project.manage("migrate")
        project.manage("shell", "-c", ROWS)
        return project

    @property
    def database(self) -> Path:
        return self.folder / "db.sqlite3"

    def copy(self, folder: Path) -> DjangoProject:
        return DjangoProject(Path(shutil.copytree(self.folder, folder)))

    def rows(self, query: str, *values: str) -> list[Any]:
        connection = sqlite3.connect(self.database)
        found = connection.execute(query, values).fetchall()
        connection.commit()
        connection.close()
        return found

    def rehearse(self, *operations: str, values: bool = False) -> dict[str, Any]:
        """Say what becomes of the database where a release brings one more migration."""
        self._migration.write_text(MIGRATION.format(operations=", ".join(operations)))
        done = self.manage("shell", "-c", programs.text("rehearse"), DEPLOY_SHOW_VALUES="1" if values else "0")
        return programs.answer(done, "The rehearsal")

    def problems(self) -> Mapping[str, str]:
        """Say what the release before can't do now: model and field, and what the database said."""
        self._migration.unlink()
        done = self.manage("shell", "-c", programs.text("compatible"))
        found = programs.answer(done, "Trying")["problems"]
        return {f"{one['model']}.{one['field']}": one["problem"] for one in found}

    def manage(self, *arguments: str, **environment: str) -> Finished:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env={**os.environ, "DATABASE": str(self.database), "PYTHONPATH": "", **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    @property
    def _migration(self) -> Path:
        return self.folder / "lists/migrations/0002_change.py"
