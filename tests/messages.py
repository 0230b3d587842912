"""What the code can say, read from its source: every message of every error, with ``…`` for what differs."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import deploy_plugin
from deploy_plugin import errors

REFUSALS = {"refuse": 1, "UsageError": 0}
"""What raises a refusal without being an error of ours, and which of its arguments is the message."""
NOT_OURS = ("deploy_plugin.testing", "deploy_plugin.database.inside.")


@dataclass(frozen=True)
class Message:
    text: str
    exit_code: int
    module: str


@cache
def every_message() -> list[Message]:
    """Give what errors begin with: the first argument of each that is made anywhere."""
    return [message for module in _modules() for message in _messages(module)]


@cache
def every_text() -> list[str]:
    """Give every text of the source, whatever becomes of it."""
    return [text for module in _modules() for node in ast.walk(_tree(module)) if (text := _text(node, module))]


def _messages(module: ModuleType) -> Iterator[Message]:
    codes = {name: kind.exit_code for name, kind in vars(errors).items() if hasattr(kind, "exit_code")}
    for node in ast.walk(_tree(module)):
        name = _called(node)
        place = REFUSALS.get(name, 0)
        if isinstance(node, ast.Call) and (name in codes or name in REFUSALS) and len(node.args) > place:
            text = _text(node.args[place], module)
            if text.strip("… "):
                yield Message(text, codes.get(name, int(pytest.ExitCode.USAGE_ERROR)), module.__name__)


def _text(node: ast.AST, module: ModuleType) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(value, module) or "…" for value in node.values)
    if isinstance(node, ast.Constant):
        return re.sub(r"\{\w+\}", "…", node.value) if isinstance(node.value, str) else ""
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, module) if isinstance(node.value, ast.Name) else ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _text(node.func.value, module)
    found = getattr(module, node.id, None) if isinstance(node, ast.Name) else None
    return re.sub(r"\{\w+\}", "…", found) if isinstance(found, str) else ""


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


def _modules() -> list[ModuleType]:
    names = [module.name for module in pkgutil.walk_packages(deploy_plugin.__path__, "deploy_plugin.")]
    return [importlib.import_module(name) for name in names if not name.startswith(NOT_OURS)]
