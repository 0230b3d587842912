"""The documents say what the code says: each thing is collected from the code itself."""

from __future__ import annotations

import argparse
import inspect
import json as standard_json
import re
import shlex
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import pytest

from deploy_plugin import cli, config, errors, hookspecs, plugin, toml
from deploy_plugin.config import Place
from deploy_plugin.models import Deployment, Outcome, Recap, Release, StepReport
from deploy_plugin.reporting import json
from deploy_plugin.toml import Table
from tests.documents import CHECKOUT, DOCS, Document, every_document
from tests.site import TARGET
from tests.there import (
    commands,
    exit_codes,
    keys_of_tables,
    labels,
    options,
    our_fixtures,
    our_markers,
    our_parser,
    step_classes,
)

PYTEST = Document(DOCS / "reference" / "pytest.md")
DEPLOY_TOML = Document(DOCS / "reference" / "deploy-toml.md")
STEPS = Document(DOCS / "reference" / "steps.md")
COMMAND = Document(DOCS / "reference" / "command.md")
HOOKS = Document(DOCS / "reference" / "hooks.md")
DEPLOY_JSON = Document(DOCS / "reference" / "deploy-json.md")
ON_THE_SERVER = Document(DOCS / "reference" / "on-the-server.md")
README = Document(CHECKOUT / "README.md")
OURS = ("--deploy", "--verify", "--promote")

each_document = pytest.mark.parametrize("document", every_document(), ids=str)


# The reference has it all


@pytest.mark.parametrize("name", options(our_parser()))
def test_every_option_is_documented(name: str) -> None:
    takes_value = options(our_parser())[name].nargs != 0
    rows = {row.partition("=")[0] if takes_value else row for row in PYTEST.rows("Options")}
    assert name in rows


@pytest.mark.parametrize("name", our_parser()._inidict)  # noqa: SLF001 - pytest has no public list
def test_every_ini_value_is_documented(name: str) -> None:
    assert name in PYTEST.rows("Ini values")


@pytest.mark.parametrize("name", our_fixtures())
def test_every_fixture_is_documented(name: str) -> None:
    assert name in PYTEST.rows("Fixtures")
    assert name in plugin.__all__  # or pytest does not find it


@pytest.mark.parametrize("name", our_markers())
def test_every_marker_is_documented(name: str) -> None:
    assert name in PYTEST.rows("Markers")


@pytest.mark.parametrize("code", sorted(exit_codes()))
def test_every_exit_code_is_documented(code: int) -> None:
    assert str(code) in PYTEST.rows("Exit codes")


@pytest.mark.parametrize("name", [field.name for field in fields(Deployment)] + ["url"])
def test_every_attribute_of_a_deployment_is_documented(name: str) -> None:
    assert name in PYTEST.rows("Deployment")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_word_of_the_recap_is_documented(outcome: Outcome) -> None:
    assert f"`{outcome}`" in PYTEST.section("The recap's words")


@pytest.mark.parametrize("step", step_classes(), ids=lambda step: step.__name__)
def test_every_step_is_documented(step: type) -> None:
    title = next(field.default for field in fields(cast("Any", step)) if field.name == "title")
    text = STEPS.section(str(title))
    assert f"`{step.__name__}`" in text
    for word in ("**Checks**", "**Changes", "**Fails**"):
        assert word in text, f"{title}: {word}"


def test_the_reference_names_no_step_that_is_gone() -> None:
    titles = [str(field.default) for step in step_classes() for field in fields(step) if field.name == "title"]
    assert sorted(STEPS.headings[1:]) == sorted(titles)


@pytest.mark.parametrize(("command", "parser"), [*commands(cli._parser())])  # noqa: SLF001 - main is the only public name
def test_every_command_is_documented(command: str, parser: argparse.ArgumentParser) -> None:
    heading = next((text for text in COMMAND.headings if re.match(rf"{command}\b", text)), "")
    assert heading, f"no heading for {command}"
    for action in parser._actions:  # noqa: SLF001 - as above
        if isinstance(action, argparse._HelpAction):  # noqa: SLF001
            continue
        if action.option_strings:
            rows = COMMAND.rows(heading) | COMMAND.rows("Targets")  # those that all commands for targets take
            assert set(action.option_strings) <= {row.partition("=")[0] for row in rows}
        else:
            assert str(action.metavar) in heading


@pytest.mark.parametrize(
    "code", [errors.DeployError.exit_code, errors.ConfigError.exit_code, cli.INTERRUPTED, cli.UNREAD]
)
def test_every_exit_code_of_the_command_is_documented(code: int) -> None:
    assert str(code) in COMMAND.rows("The command pytest-deploy")


@pytest.mark.parametrize(("heading", "key"), keys_of_tables())
def test_every_key_of_every_table_is_documented(heading: str, key: str) -> None:
    assert key in DEPLOY_TOML.rows(heading)


@pytest.mark.parametrize("key", sorted(config._SECRET_KEYS))  # noqa: SLF001
def test_every_source_of_a_secret_is_documented(key: str) -> None:
    assert key in DEPLOY_TOML.rows("[app.secrets]")


@pytest.mark.parametrize("key", sorted(toml.TOP_KEYS))
def test_every_table_of_the_file_is_documented(key: str) -> None:
    assert f"`{key}`" in DEPLOY_TOML.prose
    assert any(heading.startswith(f"[{key}") for heading in DEPLOY_TOML.headings)


@pytest.mark.parametrize("label", labels())
def test_every_label_is_documented(label: str) -> None:
    assert label in ON_THE_SERVER.code


def test_every_key_of_the_recap_for_machines_is_documented(tmp_path: Path) -> None:
    path = tmp_path / "deploy.json"
    json.write(path, TARGET, Release("r", "c", "i"), Recap((StepReport("t", Outcome.OK, 0.1),)), 0)
    report = standard_json.loads(path.read_text(encoding="utf-8"))
    documented = DEPLOY_JSON.rows("The recap for machines") - {"key", "---"}
    assert documented == set(report) | set(report["steps"][0])


def test_every_hook_is_documented_with_its_arguments_in_calling_order() -> None:
    specified = [
        f"`{name}({', '.join(inspect.signature(hook).parameters)})`"
        for name, hook in vars(hookspecs).items()
        if name.startswith("pytest_deploy_")
    ]
    assert HOOKS.headings[1:] == specified


# What the documents show is right


@each_document
def test_every_link_leads_somewhere(document: Document) -> None:
    for link in document.links:
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.path.parent / path).resolve() if path else document.path
        assert target.exists(), link
        assert not anchor or anchor in Document(target).anchors, link


@pytest.mark.parametrize("document", [document for document in every_document() if DOCS in document.path.parents])
def test_every_page_can_be_reached_from_the_readme(document: Document) -> None:
    reached, ahead = set(), [README.path]
    while ahead:
        here = ahead.pop()
        if here in reached or here.suffix != ".md" or not here.exists():
            continue
        reached.add(here)
        ahead += [
            (here.parent / link.partition("#")[0]).resolve() for link in Document(here).links if "://" not in link
        ]
    assert document.path in reached


@each_document
def test_every_pytest_command_uses_options_that_exist(document: Document, pytestconfig: pytest.Config) -> None:
    known = options(pytestconfig._parser)  # noqa: SLF001 - pytest has no public list
    for line in document.commands("pytest"):
        for word in shlex.split(line)[1:]:
            name, equals, _ = word.partition("=")
            if name.startswith("--"):
                assert name in known, line
                assert equals or known[name].nargs == 0, f"{line}: write {name}=VALUE"


@each_document
def test_no_option_of_ours_is_named_that_does_not_exist(document: Document) -> None:
    known = {*options(our_parser()), "--deploy"}  # Django has that one: manage.py check --deploy
    for name in re.findall(r"--[a-z-]+", document.text):
        assert not name.startswith(OURS) or name in known, name


@each_document
def test_every_command_line_of_pytest_deploy_is_understood(document: Document) -> None:
    for line in document.commands("pytest-deploy"):
        words = shlex.split(line)[1:]
        if (len(words) > 1 and words[0] != "sandbox") or len(words) > 2:
            cli._parser().parse_args(words)  # noqa: SLF001


TOML_BLOCKS = [
    pytest.param(body, id=f"{document}:{number}")
    for document in every_document()
    for number, (language, body) in enumerate(document.blocks)
    if language == "toml"
]


@pytest.mark.parametrize("text", TOML_BLOCKS)
def test_every_deploy_toml_is_accepted(text: str, tmp_path: Path) -> None:
    (tmp_path / config.FILE_NAME).write_text(text, encoding="utf-8")
    names = [*tomllib.loads(text).get("targets", {})]
    places = [config.find_place(name, tmp_path) for name in names]
    for place in [*places, Place("host", "host", Table(tmp_path / config.FILE_NAME))]:
        assert config.read_app(tmp_path, place).name
        assert config.read_target(place, "elspeth@example.com", url="http://example.com").url


# The first thing that one reads


def test_the_readme_begins_with_the_two_commands() -> None:
    title, first = README.text.split("\n", 1)
    assert title.startswith("# ")
    assert first.lstrip().startswith("```sh\n")
    assert two_commands() == ["make demo", "make test"]


def test_the_two_commands_are_in_the_makefile() -> None:
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    for command in two_commands():
        assert re.search(rf"^{command.removeprefix('make ')}:", makefile, re.MULTILINE), command


def test_ci_runs_the_two_commands_and_nothing_else() -> None:
    lines = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    run = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert sorted(run) == sorted(two_commands())


def test_the_picture_needs_nothing_from_elsewhere() -> None:
    picture = (DOCS / "run.svg").read_text(encoding="utf-8")
    assert "run.svg" in README.text
    assert not re.search(r"href|@import|@font-face|url\(|<script|<image|<style", picture)
    assert "passed" in picture
    assert "failed=0" in picture


def two_commands() -> list[str]:
    _, block = README.blocks[0]
    return [line.partition("#")[0].strip() for line in block.splitlines() if line.strip()]
