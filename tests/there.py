"""What there is for users, asked of the code: options, markers, steps, commands and so on."""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from _pytest.config.argparsing import Parser
from _pytest.fixtures import FixtureFunctionDefinition

from deploy_plugin import containers, errors, fixtures, plugin, steps, toml
from deploy_plugin.sandbox import container, inventory


def options(parser: Parser) -> dict[str, argparse.Action]:
    """Give every option that pytest takes, by each of its names."""
    actions = [action for group in [parser._anonymous, *parser._groups] for action in group.options]  # noqa: SLF001 - pytest has no public list
    return {name: action._action for action in actions for name in action.names()}  # noqa: SLF001


def our_parser() -> Parser:
    parser = Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    return parser


def our_markers() -> list[str]:
    lines: list[str] = []
    nothing_typed = SimpleNamespace(deploy_to=None, verify_on=None, deploy_plan=False)
    told = SimpleNamespace(option=nothing_typed, addinivalue_line=lambda _name, line: lines.append(line))
    plugin.pytest_configure(cast("pytest.Config", told))
    return [line.partition(":")[0] for line in lines]


def our_fixtures() -> list[str]:
    return [name for name, thing in vars(fixtures).items() if isinstance(thing, FixtureFunctionDefinition)]


def step_classes() -> list[type]:
    found = []
    for module in pkgutil.walk_packages(steps.__path__, f"{steps.__name__}."):
        for thing in vars(importlib.import_module(module.name)).values():
            is_ours = inspect.isclass(thing) and thing.__module__ == module.name
            if is_ours and hasattr(thing, "apply") and not getattr(thing, "_is_protocol", False):
                found.append(thing)
    return found


def exit_codes() -> set[int]:
    def below(kind: type[errors.DeployError]) -> Iterator[int]:
        yield kind.exit_code
        for child in kind.__subclasses__():
            yield from below(child)

    return set(below(errors.DeployError)) | {int(code) for code in pytest.ExitCode}


def commands(
    parser: argparse.ArgumentParser, words: tuple[str, ...] = ("pytest-deploy",)
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Give every command of ``pytest-deploy`` that does something, with its own parser."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001 - argparse has no public list
    if not below:
        yield " ".join(words), parser
    for action in below:
        between = [str(one.metavar) for one in parser._positionals._group_actions if one is not action]  # noqa: SLF001
        for name, child in action.choices.items():
            yield from commands(child, (*words, *between, name))


def keys_of_tables() -> list[tuple[str, str]]:
    """Give every key of ``deploy.toml`` with its table: what ``toml`` calls APP_KEYS are those of ``[app]``."""
    found = {name.removesuffix("_KEYS"): keys for name, keys in vars(toml).items() if name.endswith("_KEYS")}
    headings = {name: f"[{name.lower()}]" for name in found} | {"TARGET": "[targets.NAME]"}
    return [(headings[name], key) for name, keys in found.items() if name != "TOP" for key in sorted(keys)]


def labels() -> list[str]:
    ours = [value for value in vars(containers).values() if isinstance(value, str) and value.startswith("deploy.")]
    return [*ours, container.LABEL, inventory.FOLDER_LABEL]
