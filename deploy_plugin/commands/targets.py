"""``pytest-deploy targets``: every target that has a name here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_plugin import config as files
from deploy_plugin import toml
from deploy_plugin.commands.output import columns, say, say_json
from deploy_plugin.errors import DeployError

if TYPE_CHECKING:
    from argparse import Namespace

    import pytest

NONE = "No target has a name here: name one in deploy.toml, or type [user@]host[:port]."


def every(options: Namespace, config: pytest.Config) -> int:
    """List them; none is contacted."""
    rows = [_row(config, name, named) for name, named in _names(config).items()]
    if options.json:
        say_json(rows)
    else:
        say(columns([_cells(row) for row in rows]) if rows else NONE)
    return 0


def _names(config: pytest.Config) -> Mapping[str, str]:
    """Say where each is named; what ``deploy.toml`` says of a name counts, whoever else names it."""
    file = toml.read(config.rootpath / files.FILE_NAME).table("targets")
    in_file = {name: file.place_of(name) for name in file.values}
    return {**_sandboxes(), **dict(_by_plugins(config)), **in_file}


def _by_plugins(config: pytest.Config) -> Iterator[tuple[str, str]]:
    """Ask each plugin by itself: what the hook gives says not whose it is."""
    hook = config.hook.pytest_deploy_targets
    plugins = [implementation.plugin for implementation in hook.get_hookimpls()]
    for plugin in reversed(plugins):
        others = [other for other in plugins if other is not plugin]
        only_this = config.pluginmanager.subset_hook_caller(hook.name, others)
        for targets in only_this(config=config):
            for name in targets:
                yield name, _plugin_name(config, plugin)


def _plugin_name(config: pytest.Config, plugin: object) -> str:
    name = config.pluginmanager.get_name(plugin) or "a plugin"
    path = Path(name)
    return str(path.relative_to(config.rootpath)) if path.is_relative_to(config.rootpath) else name


def _sandboxes() -> Mapping[str, str]:
    from deploy_plugin.sandbox.state import records  # the engine, which knows whether they run, is not asked

    return {f"{files.SANDBOX}:{record.name}": "sandbox" for record in records() if record.owner is None}


def _row(config: pytest.Config, name: str, named: str) -> dict[str, Any]:
    from deploy_plugin.targeted import session_for

    try:
        session = session_for(config, name, deploys=False)
    except DeployError as error:
        return {"name": name, "destination": None, "url": None, "live": None, "named": named, "problem": error.message}
    target = session.target
    session.discard()
    return {
        "name": name,
        "destination": target.destination,
        "url": target.url,
        "live": target.live,
        "named": named,
        "problem": None,
    }


def _cells(row: Mapping[str, Any]) -> list[str]:
    cells = [row["name"], row["destination"] or "", row["url"] or "", "LIVE" if row["live"] else "", row["named"]]
    return [*cells, row["problem"] or ""]
