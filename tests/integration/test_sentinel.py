"""No secret is seen: sentinels for secrets, every way to print one, and a search of all that was written."""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy_plugin.secret import MASK
from tests.children import child
from tests.integration.leaks import (
    A_STEP_WITH_A_BUG,
    FAILING_MIGRATION,
    LEAKS,
    PRINTS_ITS_ENVIRONMENT,
    SAMPLE_HERE,
    SAMPLE_THERE,
)
from tests.integration.projects import Project, Run
from tests.integration.servers import RealServer

PART = 12
"""Characters of a sentinel, its first and its last, that are not to be found either."""

COLOR = re.compile(r"\x1b\[[\d;]*m")
SECRETS = """
MAIL_PASSWORD = {{ from_env = "MAIL_PASSWORD" }}
API_KEY = {{ command = ["cat", "{vault}"] }}
"""


@dataclass(frozen=True)
class Guarded:
    """A project whose secrets are sentinels, on a server where it serves."""

    project: Project
    server: RealServer
    env: dict[str, str]
    sentinels: dict[str, str]

    def pytest(self, *arguments: str) -> Run:
        return self.project.pytest(
            *arguments,
            "-l",
            "-rA",
            "--junitxml=results/junit.xml",
            "--log-file=results/log.txt",
            "--log-level=DEBUG",
            env=self.env,
        )

    def written(self, run: Run) -> dict[str, str]:
        """Everything that the run wrote, by the file's name."""
        every = (path for path in self.project.folder.rglob("*") if path.is_file() and ".git" not in path.parts)
        files = {
            str(path.relative_to(self.project.folder)): path.read_bytes().decode(errors="replace") for path in every
        }
        return {"the terminal": COLOR.sub("", run.output), **files}

    def assert_hidden(self, run: Run) -> None:
        for name, text in self.written(run).items():
            for key, value in self.sentinels.items():
                for part in (value[:PART], value[-PART:]):
                    at = text.find(part)
                    assert at < 0, f"{key} is in {name}: {text[max(0, at - 200) : at + 60]}"


@pytest.fixture(scope="module")
def guarded(server: RealServer, tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    project = Project.copy_of_the_site(tmp_path_factory.mktemp("guarded") / "superlists")
    vault = tmp_path_factory.mktemp("vault") / "key"
    from_env, from_command = (
        f"S3ntinel{kind}{secrets.token_hex(12)}'\"\\<&> %d {{x}} é{secrets.token_hex(12)}" for kind in ("Env", "Cmd")
    )
    vault.write_text(from_command, encoding="utf-8")
    project.edit("deploy.toml", "[app.secrets]\n", "[app.secrets]" + SECRETS.format(vault=vault))
    project.commit("Secrets")
    env = {"MAIL_PASSWORD": from_env}
    run = project.pytest(f"--deploy-to={server.target}", env=env)
    assert run.exit_code == 0, run.output
    generated = server.sh("grep ^DJANGO_SECRET_KEY= deploy/superlists/.env").partition("=")[2]
    assert len(generated) == 50
    return Guarded(project, server, env, {"from_env": from_env, "command": from_command, "generate": generated})


@pytest.fixture
def changes(guarded: Guarded) -> Iterator[Callable[[str, str], None]]:
    """Write files into the project for one test."""
    yield guarded.project.write
    guarded.project.git("checkout", "--quiet", ".")
    guarded.project.git("clean", "--quiet", "--force", "-d")


@pytest.mark.parametrize(
    ("verb", "more"),
    [
        ("--deploy-to", ("-v",)),
        ("--deploy-to", ("-vv", "-n2")),
        ("--verify-on", ("-vv", "--color=yes")),
        ("--verify-on", ("-v", "--color=yes", "-n2")),
        ("--verify-on", ()),
    ],
)
def test_tests_that_would_print_them_print_the_mask(
    guarded: Guarded, changes: Callable[[str, str], None], verb: str, more: tuple[str, ...]
) -> None:
    changes("infra_tests/test_leaks.py", LEAKS)

    run = guarded.pytest(f"{verb}={guarded.server.target}", *more)

    assert run.exit_code == 1, run.output
    guarded.assert_hidden(run)
    written = guarded.written(run)
    assert "6 failed, 3 passed, 1 skipped, 1 xfailed" in written["the terminal"]
    for name in ("the terminal", "results/junit.xml", "results/log.txt"):
        for key in ("MAIL_PASSWORD", "API_KEY", "DJANGO_SECRET_KEY"):
            assert f"{key}={MASK}" in written[name], f"{key} is not where it would have been: {name}"


@pytest.mark.parametrize("more", [("-s",), ("--setup-show",), ("-s", "-n2"), ("--tb=native",), ("--tb=short", "-q")])
def test_other_ways_to_show_it_are_hidden_too(
    guarded: Guarded, changes: Callable[[str, str], None], more: tuple[str, ...]
) -> None:
    changes("infra_tests/test_leaks.py", LEAKS)

    run = guarded.pytest(f"--verify-on={guarded.server.target}", *more)

    assert run.exit_code == 1, run.output
    assert f"MAIL_PASSWORD={MASK}" in run.output
    guarded.assert_hidden(run)


@pytest.mark.parametrize(
    ("file", "text", "where"),
    [
        ("src/lists/migrations/0004_fails.py", FAILING_MIGRATION, "Rehearse the migration"),
        ("src/superlists/wsgi.py", PRINTS_ITS_ENVIRONMENT + "sys.exit(3)\n", "Await health"),
    ],
)
def test_containers_that_print_their_environment_and_fail_show_the_mask(
    guarded: Guarded, changes: Callable[[str, str], None], file: str, text: str, where: str
) -> None:
    changes(file, text)

    for workers in ("-n0", "-n2"):
        run = guarded.pytest(f"--deploy-to={guarded.server.target}", workers, "-vv")

        assert run.exit_code == 30, run.output
        assert run.outcomes.get(where) == "failed", run.output
        guarded.assert_hidden(run)
        written = guarded.written(run)
        for name in ("the terminal", "results/junit.xml"):
            assert MASK in written[name], name


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_a_bugs_traceback_shows_the_mask(guarded: Guarded, changes: Callable[[str, str], None], workers: str) -> None:
    changes("conftest.py", A_STEP_WITH_A_BUG)

    run = guarded.pytest(f"--deploy-to={guarded.server.target}", workers, "-vv", "--full-trace")

    assert "ZeroDivisionError" in run.output
    assert run.output.count(f"MAIL_PASSWORD={MASK}") > 1  # the message, and a local
    guarded.assert_hidden(run)


def test_a_secret_that_is_not_here_is_named_and_nothing_else_is_shown(guarded: Guarded) -> None:
    run = guarded.project.pytest(f"--deploy-to={guarded.server.target}", "-l", "-vv", env={"MAIL_PASSWORD": ""})

    assert run.exit_code == 4
    assert "The secret MAIL_PASSWORD is missing" in run.output
    guarded.assert_hidden(run)


def test_no_process_has_one_among_its_arguments(guarded: Guarded, tmp_path: Path) -> None:
    enough = tmp_path / "enough"
    guarded.server.wipe()
    box = guarded.server.sandbox
    login: list[str | Path] = ["ssh", "-F", box.ssh_config, box.destination.partition(":")[0]]
    with (
        child([*login, SAMPLE_THERE]) as there,
        child([sys.executable, "-c", SAMPLE_HERE, enough]) as here,
    ):
        run = guarded.pytest(f"--deploy-to={guarded.server.target}")

        enough.touch()
        sampled_here, _ = here.communicate()
        guarded.server.sh("touch /tmp/enough")
        assert there.wait() == 0
    sampled_there = guarded.server.sh("cat /tmp/sampled")
    assert run.exit_code == 0, run.output
    assert "--deploy-to=" in sampled_here
    assert "manage.py" in sampled_there
    generated = guarded.server.sh("grep ^DJANGO_SECRET_KEY= deploy/superlists/.env").partition("=")[2]
    for value in (*guarded.sentinels.values(), generated):
        assert value[:PART] not in sampled_here
        assert value[:PART] not in sampled_there
