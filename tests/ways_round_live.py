"""Every way round the gate of a live target that anybody thought of, each as a project and a command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

TESTS = """
import pathlib, unittest
import pytest

RAN = pathlib.Path(__file__).parents[1] / "ran"

@pytest.fixture
def prepared():
    RAN.touch()

@pytest.mark.live_safe
def test_safe():
    pass

@pytest.mark.slow
def test_unsafe(prepared):
    RAN.touch()
"""
NODE = "functional_tests/test_functional.py::"
LAST_FAILED = ".pytest_cache/v/cache/lastfailed"
NOTHING_SAFE = "none of the 1 selected tests is marked live_safe"
PUT_BACK = "test_unsafe is not marked live_safe"
NO_GATE = "was taken away"
KEPT = """
import pathlib
import pytest
kept = []

def pytest_itemcollected(item):
    if "test_unsafe" in item.name:
        kept.append(item)
"""


@dataclass(frozen=True)
class Way:
    """``exit_code`` 0: the rest ran, and what is unsafe was deselected. 4: nothing was contacted."""

    name: str
    """As it stands in the documents' table."""
    arguments: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    exit_code: int = 0
    says: str = "they are not marked live_safe"
    env: Mapping[str, str] = field(default_factory=dict)


def _unsafe(name: str, text: str, *arguments: str) -> Way:
    """One more test, which is not marked."""
    return Way(name, arguments, {"functional_tests/test_more.py": TESTS + text})


SELECTIONS = [
    Way("`-k` with the test's name", ("-k", "test_unsafe"), {}, 4, NOTHING_SAFE),
    Way("`-m` with another marker", ("-m", "slow"), {}, 4, NOTHING_SAFE),
    Way("`-m` with `not live_safe`", ("-m", "not live_safe", "functional_tests"), {}, 4, NOTHING_SAFE),
    Way("its node id", (f"{NODE}test_unsafe",), {}, 4, NOTHING_SAFE),
    Way("its node id beside a safe one's", (f"{NODE}test_unsafe", f"{NODE}test_safe")),
    Way("`--deselect` of the safe ones", ("functional_tests", f"--deselect={NODE}test_safe"), {}, 4, NOTHING_SAFE),
    Way("`-o python_functions=…`", ("-o", "python_functions=test_*"), {}),
    Way("`-o markers=…`", ("-o", "markers=slow: no other", "-o", "addopts=-p no:django"), {}),
    Way(
        "`-c` with another ini file",
        ("-c", "other.ini"),
        {"other.ini": "[pytest]\naddopts = -p no:django\nmarkers = slow: x\n"},
    ),
    Way(
        "`--pyargs`",
        ("--pyargs", "functional_tests.test_functional", "-o", "pythonpath=."),
        {"functional_tests/__init__.py": ""},
    ),
    Way("`--import-mode=importlib`", ("--import-mode=importlib",)),
    Way("`--noconftest`", ("--noconftest",)),
    Way(
        "`--lf` where only it failed",
        ("--lf",),
        {
            "tox.ini": "[pytest]\naddopts = -p no:django\nmarkers = slow: x\n",
            LAST_FAILED: f'{{"{NODE}test_unsafe": true}}',
        },
        4,
        NOTHING_SAFE,
    ),
    Way("`-x`", ("-x",)),
    Way("`--runxfail`", ("--runxfail",)),
    Way("`--setup-show`", ("--setup-show",)),
    Way("`--collect-only`", ("--collect-only",)),
    Way("`--continue-on-collection-errors`", ("--continue-on-collection-errors",)),
    Way("`PYTEST_ADDOPTS`", ("-v",), {}, 4, NOTHING_SAFE, {"PYTEST_ADDOPTS": "-k test_unsafe"}),
]
PARTS = [
    Way("`-p no:deploy_plugin.plugin`", ("-p", "no:deploy_plugin.plugin"), {}, 4, "unrecognized arguments"),
    Way("`-p no:deploy-live-gate`", ("-p", "no:deploy-live-gate"), {}, 4, "can't do without"),
    Way("`-p no:deploy-lifecycle`", ("-p", "no:deploy-lifecycle"), {}, 4, "can't do without"),
    Way("`-p no:deploy-defaults`", ("-p", "no:deploy-defaults"), {}, 4, "can't do without"),
    Way("`--disable-plugin-autoload`", ("--disable-plugin-autoload",), {}, 4, "unrecognized arguments"),
    Way(
        "`PYTEST_DISABLE_PLUGIN_AUTOLOAD`", (), {}, 4, "unrecognized arguments", {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ),
    Way("`-p no:terminal`", ("-p", "no:terminal"), {}, 4, "can't do without"),
]
KINDS = [
    _unsafe("a name that holds `live_safe`", "def test_live_safe(prepared): pass\n", "-k", "live_safe or test_safe"),
    Way(
        "a folder or file called `live_safe`",
        ("functional_tests",),
        {"functional_tests/live_safe/test_live_safe.py": "def test_it():\n    assert 0\n"},
    ),
    _unsafe('`usefixtures("live_safe")`', "@pytest.mark.usefixtures('live_safe')\ndef test_more(prepared): pass\n"),
    _unsafe(
        "a mark on other parameters",
        "@pytest.mark.parametrize('n', [pytest.param(1, marks=pytest.mark.live_safe), 2])\n"
        "def test_more(n):\n    assert n == 1\n",
    ),
    _unsafe(
        "`pytest_generate_tests`",
        "def test_more(n): RAN.touch()\n\n"
        "def pytest_generate_tests(metafunc):\n"
        "    if 'n' in metafunc.fixturenames: metafunc.parametrize('n', [1, 2])\n",
    ),
    _unsafe(
        "a method of a class with a safe one",
        "class TestMore:\n    @pytest.mark.live_safe\n"
        "    def test_safe_too(self): pass\n    def test_more(self): RAN.touch()\n",
    ),
    _unsafe(
        "a `unittest.TestCase`",
        "class More(unittest.TestCase):\n    def setUp(self): RAN.touch()\n    def test_more(self): pass\n",
    ),
    _unsafe("`--doctest-modules`", "def helper():\n    '''\n    >>> RAN.touch()\n    '''\n", "--doctest-modules"),
    _unsafe("`xfail`", "@pytest.mark.xfail(strict=False)\ndef test_more(prepared): RAN.touch()\n"),
    Way(
        "an item of a plugin's own kind",
        (),
        {
            "conftest.py": """
import pytest

class Own(pytest.Item):
    def runtest(self):
        (self.config.rootpath / "ran").touch()

class File(pytest.File):
    def collect(self):
        yield Own.from_parent(self, name="own")

def pytest_collect_file(file_path, parent):
    return File.from_parent(parent, path=file_path) if file_path.suffix == ".own" else None
""",
            "functional_tests/more.own": "",
        },
    ),
    Way(
        "a `pytest_collection` of its own",
        (),
        {
            "conftest.py": KEPT
            + """
@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    session.perform_collect()
    session.items[:] = kept
    return True
"""
        },
        4,
        PUT_BACK,
    ),
    Way(
        "a plugin that a conftest loads",
        (),
        {
            "conftest.py": "pytest_plugins = ['own_plugin']\n",
            "own_plugin.py": KEPT
            + """
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items):
    yield
    items += kept
""",
        },
        0,
    ),
]
