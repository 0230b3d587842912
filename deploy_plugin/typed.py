"""Some options count only when they were typed: nobody deploys because of a line in a file that they forgot."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import zip_longest

import pytest

OPTION = "--deploy-to"
FLAGS = ("--deploy-first", "--deploy-downtime")
"""Exceptions that somebody has to make each time."""
NOT_TYPED = (
    "{option} was not typed: it comes from {source}. A deploy happens only where somebody asks for it: "
    "take it out there, and type it."
)


def refuse_unless_typed(config: pytest.Config) -> None:
    """``UsageError`` where the target is not the one on the command line, or an exception is made that is not there."""
    target = config.option.deploy_to
    arguments = list(map(str, config.invocation_params.args))
    typed = _values(arguments)
    if not typed or typed[-1] != target:
        raise pytest.UsageError(NOT_TYPED.format(option=f"{OPTION}={target}", source=_source(config, OPTION)))
    for flag in FLAGS:
        if getattr(config.option, flag.removeprefix("--").replace("-", "_")) and flag not in arguments:
            raise pytest.UsageError(NOT_TYPED.format(option=flag, source=_source(config, flag)))


def _source(config: pytest.Config, option: str) -> str:
    arguments = list(map(str, config.invocation_params.args))
    if option in os.environ.get("PYTEST_ADDOPTS", ""):
        return "PYTEST_ADDOPTS in the environment"
    if any(option in argument for argument in arguments):
        return "addopts, set with -o"
    if any(option in word for word in config.getini("addopts")):
        return f"addopts in {config.inipath.name if config.inipath else 'the configuration'}"
    files = [argument[1:] for argument in arguments if argument.startswith("@")]
    return f"the file {files[0]}" if files else "a plugin or a conftest.py"


def _values(arguments: Sequence[str]) -> list[str]:
    """What was given for the option, in both of its forms: ``--opt=value`` and ``--opt value``."""
    pairs = zip_longest(arguments, arguments[1:], fillvalue="")
    return [
        argument.partition("=")[2] if "=" in argument else following
        for argument, following in pairs
        if argument.partition("=")[0] == OPTION
    ]
