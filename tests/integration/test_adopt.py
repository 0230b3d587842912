"""The book's second deploy: its playbook has put the site there, and people use it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.children import child
from tests.integration.accounts import Account, add_accounts
from tests.integration.projects import Project
from tests.integration.releases import migrate, rows
from tests.integration.servers import RealServer
from tests.integration.test_command import run
from tests.integration.visitors import Visitor

PLAYBOOK = Path(__file__).parent / "book" / "playbook.yml"
PREPARE = """
echo 'deploy ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/deploy
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3 >/dev/null 2>&1
"""
ADD_USER = "from django.contrib.auth.models import User; User.objects.create_user('edith', password='secret word')"


@dataclass(frozen=True)
class Book:
    """The site as the book's playbook has deployed it, with a wish, and with Edith logged in."""

    project: Project
    server: RealServer
    edith: Account

    def wishes(self, name: str = "superlists") -> set[str]:
        """What the container's database holds."""
        ask = "from lists.models import Item; print(*Item.objects.values_list('text', flat=True), sep='\\n')"
        said = self.server.sh(f'docker exec {name} python manage.py shell -v 0 -c "{ask}"')
        return set(said.splitlines())

    def wish(self, text: str) -> None:
        Visitor(self.server.sandbox.url).add(text)

    def is_there(self) -> None:
        """See that the old container serves, and that nothing of ours does."""
        assert self.server.sh("docker ps --format '{{.Names}}'") == "superlists"
        assert self.edith.name == "edith"


@pytest.fixture(scope="module")
def book(server: RealServer, ansible: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    server.as_root(PREPARE)
    project = Project.copy_of_the_site(tmp_path_factory.mktemp("book") / "superlists")
    add_accounts(project)
    project.edit("deploy.toml", '"sandbox:staging"', f'"{server.target}"')
    project.commit("As it is there")
    box = server.sandbox
    user, _, host = box.destination.partition(":")[0].rpartition("@")
    playbook = project.folder.parent / "playbook.yml"
    playbook.write_text(PLAYBOOK.read_text(encoding="utf-8"), encoding="utf-8")
    ssh, site = f"--ssh-common-args=-F {box.ssh_config}", f"--extra-vars=site={project.folder}"
    play = ["ansible-playbook", str(playbook), f"--inventory={host},", f"--user={user}", ssh, site]
    subprocess.run(play, env={**os.environ, **ansible}, check=True)
    server.sh(f'docker exec superlists python manage.py shell -v 0 -c "{ADD_USER}"')
    Visitor(box.url).add("Buy peacock feathers")
    edith = Account(box.url)
    edith.log_in("edith", "secret word")
    yield Book(project, server, edith)
    subprocess.run(["docker", "image", "rm", "--force", "superlists:latest"], check=False, capture_output=True)


def test_without_adopt_a_deploy_stops_and_says_so(book: Book) -> None:
    deployed = book.project.pytest("--deploy-to=staging")
    assert deployed.exit_code == 30, deployed.output
    found = "the container superlists, ~/db.sqlite3, ~/superlists.env, ~/.secret-key"
    assert f"superlists was deployed to staging by other means: {found}. Nothing was changed." in deployed.output
    assert "pytest-deploy adopt staging" in deployed.output

    asked = run(book.project, "adopt", "staging")
    assert asked.returncode == 30
    assert "sessions   stay" in asked.stdout
    assert "/home/app/db.sqlite3 in it, which is /home/deploy/db.sqlite3 on the server" in asked.stdout
    assert "Say so with --yes." in asked.stderr
    book.is_there()


def test_what_can_not_be_taken_over_is_left_as_it_is(book: Book) -> None:
    book.project.edit("deploy.toml", "port = 8888", "port = 8000")
    try:
        refused = run(book.project, "adopt", "staging", "--yes")
    finally:
        book.project.edit("deploy.toml", "port = 8000", "port = 8888")
    assert refused.returncode == 30
    assert "Take it over with port = 8888 in deploy.toml." in refused.stderr
    book.is_there()


def test_one_that_is_killed_half_way_is_undone_by_the_server(book: Book) -> None:
    command = [sys.executable, "-m", "deploy_plugin.cli", "adopt", "staging", "--yes"]
    with child(command, cwd=book.project.folder):
        # The old container is stopped by then, and the new one does not serve yet.
        book.server.sh(
            "until [ -e deploy/superlists/adopting ] && [ -z \"$(docker ps -q --filter 'name=^/superlists$')\" ]; "
            "do sleep 0.05; done"
        )
    assert run(book.project, "unlock", "staging").returncode == 0  # or wait a minute
    until_it_answers(book.server)
    book.is_there()
    assert book.server.sh("ls deploy/superlists/data") == ""
    book.wish("Written to the old one again")


def test_adopted_and_deployed_no_row_and_no_session_is_lost(book: Book) -> None:
    book.wish("Make a fly")
    wishes = book.wishes()
    assert wishes == {"Buy peacock feathers", "Written to the old one again", "Make a fly"}

    adopted = run(book.project, "adopt", "staging", "--yes")

    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    left = book.server.sh("sha256sum db.sqlite3")
    name = book.server.serving().split()[0]
    assert name.endswith("-adopted")
    assert book.wishes(name) == wishes
    assert book.edith.name == "edith"
    book.wish("Written in between")

    migrate(
        book.project,
        'migrations.AddField("item", "rank", models.IntegerField(null=True))',
        name="0004_rank",
        after="0003_item_once_per_list",
    )
    deployed = book.project.pytest("--deploy-to=staging")

    assert deployed.exit_code == 0, deployed.output
    assert deployed.outcomes["Rehearse the migration"] == "changed"  # with the old code, on the new schema
    texts = {text for (text,) in rows(book.server, "SELECT text FROM lists_item WHERE rank IS NULL")}
    assert texts == {*wishes, "Written in between"}
    assert rows(book.server, "PRAGMA integrity_check") == [["ok"]]
    assert book.edith.name == "edith"
    book.wish("Written to the new one")
    # Nothing of the old deployment is gone, or has changed since.
    assert book.server.sh("sha256sum db.sqlite3") == left
    book.server.sh("test -s superlists.env && test -s .secret-key && docker inspect superlists")


def until_it_answers(server: RealServer) -> None:
    for _ in range(300):
        if server.status("/health") == 200:
            return
        time.sleep(0.1)
    raise AssertionError("the site does not answer")
