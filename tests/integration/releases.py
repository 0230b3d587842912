"""Releases of the site whose models differ, and what is in its database."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.projects import Project
from tests.integration.servers import RealServer

CONSTRAINT = '        constraints = (models.UniqueConstraint(fields=("list", "text"), name="item_once_per_list"),)\n'
ADD_CONSTRAINT = """migrations.AddConstraint(
    "item", models.UniqueConstraint(fields=("list", "text"), name="item_once_per_list")
)"""
PUT_RIGHT = """
def number(apps, _editor):
    Item = apps.get_model("lists", "Item")
    seen = {}
    for item in Item.objects.order_by("id"):
        key = (item.list_id, item.text)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 1:
            item.text = f"{item.text} ({seen[key]})"
            item.save()
"""
MIGRATION = """
import time
from django.db import migrations, models
{code}

class Migration(migrations.Migration):
    dependencies = [("lists", "{after}")]
    operations = [{operation}]
"""


def without_constraint(project: Project) -> None:
    """Make it the release before items were unique: in the form, in the model, in the database."""
    (project.folder / "src/lists/migrations/0003_item_once_per_list.py").unlink()
    project.edit("src/lists/models.py", CONSTRAINT, "")
    project.edit("src/lists/forms.py", "if self.to_do.pk and self.to_do", "if False and self.to_do")


def with_constraint(project: Project, *, after: str = "0002_item", name: str = "0003_item_once_per_list") -> None:
    project.edit("src/lists/models.py", '("id",)\n', f'("id",)\n{CONSTRAINT}')
    project.edit("src/lists/forms.py", "if False and self.to_do", "if self.to_do.pk and self.to_do")
    migrate(project, ADD_CONSTRAINT, name=name, after=after)


def put_right(project: Project) -> None:
    """Add the data migration, before the constraint."""
    (project.folder / "src/lists/migrations/0003_item_once_per_list.py").unlink()
    migrate(project, "migrations.RunPython(number)", name="0003_number", code=PUT_RIGHT)
    migrate(project, ADD_CONSTRAINT, name="0004_item_once_per_list", after="0003_number")


def migrate(
    project: Project, operation: str, *, name: str = "0003_change", after: str = "0002_item", code: str = ""
) -> None:
    text = MIGRATION.format(operation=operation, after=after, code=code)
    project.write(f"src/lists/migrations/{name}.py", text)


def serving(server: RealServer) -> str:
    """The container that the proxy sends visitors to: its name and id."""
    name = server.sh("cut -d : -f 1 deploy/proxy/upstreams/superlists")
    return f"{name} {server.sh(f'docker inspect -f {{{{.Id}}}} {name}')}"


def rows(server: RealServer, query: str) -> list[Any]:
    """Ask the database itself, in the container that serves."""
    ask = (
        "import json, sqlite3; "
        f"print(json.dumps(sqlite3.connect('file:/data/db.sqlite3?mode=ro', uri=True).execute('{query}').fetchall()))"
    )
    found: list[Any] = json.loads(server.sh(f'docker exec {serving(server).split()[0]} python -c "{ask}"'))
    return found
