"""The gate before a live target: a test that was not meant for it is not run there, whoever asks for it.

A test is meant for it by a marker of its own, its class, its module or its parameters, as it stands when all plugins
and conftests have had their say on what was collected. What that leaves out is deselected, and made unable to run.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import pytest

from deploy_plugin.markers import LIVE_SAFE, NONDESTRUCTIVE
from deploy_plugin.session import Session

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

NAMED = 5
"""How many of those that are not run are named."""
GATE_NAME = "deploy-live-gate"

REFUSED = (
    "{test} is not marked live_safe, so it does not run on {target}: that target is live. "
    "Something of the project asked for it after it was deselected."
)
NOTHING_SAFE = (
    "The target {target} is live, and none of the {count} selected tests is marked live_safe: nothing was contacted. "
    "Mark those that leave nothing behind: @pytest.mark.live_safe"
)
PUT_BACK = (
    "The target {target} is live, and {test} is not marked live_safe. A plugin or a conftest put it among "
    "those to run: nothing was contacted."
)
NO_GATE = "The target {target} is live, and the gate that keeps other tests out was taken away: nothing was contacted."

UNSAFE = pytest.StashKey[bool]()
GATE = pytest.StashKey["Gate"]()


@dataclass(frozen=True, slots=True)
class Sorted:
    """How the gate parted the tests: node ids of those that are out, how many are in, and who came back."""

    out: Sequence[str] = ()
    safe: int = 0
    put_back: Sequence[str] = ()


class Gate:
    """Parts the tests of a run on a live target; registered in workers too."""

    def __init__(self, config: pytest.Config, session: Session) -> None:
        self._config = config
        self._target = session.target.name
        self._folder = session.folder
        self._out: list[str] = []

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # the outermost: after everybody else
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None]:
        yield
        unsafe = [item for item in items if not is_safe(item)]
        items[:] = [item for item in items if is_safe(item)]
        for item in items:
            if not item.get_closest_marker(NONDESTRUCTIVE):
                item.add_marker(NONDESTRUCTIVE)  # or pytest-selenium skips it
        for item in unsafe:
            self._disarm(item)
        self._out += [item.nodeid for item in unsafe]
        self._config.hook.pytest_deselected(items=unsafe)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if worker := self._worker:
            _file(self._folder, worker).write_text(json.dumps(asdict(self._sorted(session.items))), encoding="utf-8")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        collected = not session.testsfailed or self._config.option.continue_on_collection_errors
        if collected and not self._worker:
            self._require(self._sorted(session.items))

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: WorkerController, ids: Sequence[str]) -> None:
        path = _file(self._folder, node.gateway.id)
        if not path.exists():
            raise pytest.UsageError(NO_GATE.format(target=self._target))
        there = Sorted(**json.loads(path.read_text(encoding="utf-8")))
        self._out = list(there.out)
        self._require(replace(there, put_back=[*there.put_back, *(test for test in ids if test in there.out)]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._refuse_unsafe(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        self._refuse_unsafe(item)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> None:
        self._refuse_unsafe(pyfuncitem)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._out:
            return
        terminalreporter.write_sep("=", f"not run on {self._target}", bold=True)
        terminalreporter.write_line(
            f"{len(self._out)} deselected: the target is live, and they are not marked {LIVE_SAFE}:"
        )
        for line in _few(self._out):
            terminalreporter.write_line(f"  {line}")

    @property
    def _worker(self) -> str | None:
        """The worker's id, in a worker of pytest-xdist."""
        return cast("Any", self._config).workerinput["workerid"] if hasattr(self._config, "workerinput") else None

    def _sorted(self, items: Iterable[pytest.Item]) -> Sorted:
        safe = {item.nodeid: is_safe(item) for item in items}
        return Sorted(self._out, sum(safe.values()), [nodeid for nodeid, is_in in safe.items() if not is_in])

    def _require(self, found: Sorted) -> None:
        """Stop before anything is contacted where the gate was passed by, or nothing may pass it."""
        if found.put_back:
            raise pytest.UsageError(PUT_BACK.format(target=self._target, test=found.put_back[0]))
        if found.out and not found.safe:
            raise pytest.UsageError(NOTHING_SAFE.format(target=self._target, count=len(found.out)))

    def _refuse_unsafe(self, item: pytest.Item) -> None:
        if not is_safe(item):
            self._refuse(item)

    def _refuse(self, item: pytest.Item) -> NoReturn:
        pytest.fail(REFUSED.format(test=item.nodeid, target=self._target), pytrace=False)

    def _disarm(self, item: pytest.Item) -> None:
        """Let neither item nor function do anything but refuse, whoever calls them."""

        def refuse(*_: object, **__: object) -> NoReturn:
            self._refuse(item)

        item.stash[UNSAFE] = True
        assert item.location  # noqa: S101 - it is found by the function, once
        for name in ("setup", "runtest", "obj"):
            if hasattr(item, name):
                setattr(item, name, refuse)


def is_safe(item: pytest.Item) -> bool:
    """Whether its author promises it; a folder, a file or a test of that name is no promise, and none comes later."""
    promised = any(item.get_closest_marker(name) for name in (LIVE_SAFE, NONDESTRUCTIVE))
    return promised and UNSAFE not in item.stash


def put_up_gate(config: pytest.Config, session: Session) -> None:
    """Guard the run, if its target is live."""
    if session.target.live:
        config.stash[GATE] = Gate(config, session)
        register(config, config.stash[GATE], GATE_NAME)


def require_gate(config: pytest.Config, session: Session) -> None:
    """Stop the run if the gate is not there any more."""
    gate = config.stash.get(GATE, None)
    if session.target.live and (gate is None or not config.pluginmanager.is_registered(gate)):
        raise pytest.UsageError(NO_GATE.format(target=session.target.name))


def require_whole(config: pytest.Config, *names: str) -> None:
    """Stop where a part of ours was switched off by its name."""
    for name in names:
        if config.pluginmanager.is_blocked(name):
            raise pytest.UsageError(f"-p no:{name} takes a part out of a deploy that it can't do without.")


def register(config: pytest.Config, plugin: object, name: str) -> None:
    """Register a part of ours, which no ``-p no:NAME`` takes out of the whole."""
    require_whole(config, name)
    config.pluginmanager.register(plugin, name)


def live_word(config: pytest.Config) -> str:
    """LIVE, in red where there are colours."""
    return config.get_terminal_writer().markup("LIVE", red=True, bold=True)


def _file(folder: Path, worker: str) -> Path:
    return folder / f"gate-{worker}.json"


def _few(names: Sequence[str]) -> list[str]:
    more = len(names) - NAMED
    return [*names[:NAMED], *([f"and {more} more"] if more > 0 else [])]
