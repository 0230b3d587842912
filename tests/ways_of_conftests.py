"""Every way round the gate of a live target that a conftest was thought to know."""

from __future__ import annotations

from tests.ways_round_live import KEPT, NO_GATE, PUT_BACK, Way


def conftest_way(name: str, text: str, exit_code: int = 4, says: str = PUT_BACK) -> Way:
    """A conftest below the root, which pytest loads last and so asks first."""
    return Way(name, (), {"functional_tests/conftest.py": KEPT + text}, exit_code, says)


CONFTESTS = [
    conftest_way(
        "a `pytest_collection_modifyitems` that runs last",
        """
@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items += [item for item in kept if item not in items]
""",
        0,
        "they are not marked live_safe",
    ),
    conftest_way(
        "a wrapper of it around all others",
        """
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items):
    yield
    items += kept
""",
    ),
    conftest_way(
        "a `pytest_deselected` that clears the list",
        """
def pytest_deselected(items):
    items.clear()
""",
        0,
        "they are not marked live_safe",
    ),
    conftest_way(
        "a `pytest_deselected` that puts them back",
        """
def pytest_deselected(items):
    items[0].session.items += list(items)
""",
        says="is not marked live_safe",
    ),
    conftest_way(
        "`session.items` set after collection",
        """
@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session):
    session.items[:] = kept
""",
    ),
    conftest_way(
        "a marker added once it was deselected",
        """
def pytest_collection_finish(session):
    for item in kept:
        item.add_marker("live_safe")
    session.items[:] = kept
""",
    ),
    conftest_way(
        "`config.stash` changed",
        """
def pytest_collection_modifyitems(config):
    from dataclasses import replace
    from deploy_plugin.fixtures import SESSION
    run = config.stash[SESSION]
    config.stash[SESSION] = replace(run, target=replace(run.target, live=False))
""",
        0,
        "they are not marked live_safe",
    ),
    conftest_way(
        "`config.option` changed",
        """
def pytest_collection_modifyitems(config):
    config.option.deploy_to = "staging"
""",
        0,
        "they are not marked live_safe",
    ),
    conftest_way(
        "the gate unregistered",
        """
def pytest_collection_modifyitems(config):
    config.pluginmanager.unregister(name="deploy-live-gate")

def pytest_collection_finish(session):
    session.items[:] = kept
""",
        4,
        NO_GATE,
    ),
    conftest_way(
        "the plugin unregistered",
        """
def pytest_collection_modifyitems(config):
    config.pluginmanager.unregister(name="deploy_plugin.plugin")

def pytest_collection_finish(session):
    session.items[:] = kept
""",
    ),
    Way(
        "a `pytest_deploy_is_live` that says no",
        (),
        {
            "conftest.py": """
def pytest_deploy_is_live(target):
    return False
"""
        },
    ),
    Way(
        "a `pytest_deploy_targets` that names it anew",
        (),
        {
            "conftest.py": """
def pytest_deploy_targets(config):
    return {"live": {"host": "www.example.com", "live": False}}
"""
        },
    ),
]
LATE = [
    conftest_way(
        "a `pytest_runtestloop` that goes its own way",
        """
@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    for item in kept:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    return True
""",
    ),
    conftest_way(
        "a `pytest_runtest_protocol` that swaps tests",
        """
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    for swapped in kept:
        runtestprotocol(swapped, nextitem=None)
    return True
""",
    ),
    conftest_way(
        "`item.runtest()` called directly",
        """
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    for other in kept:
        other.runtest()
""",
    ),
    conftest_way(
        "the test's function called directly",
        """
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    for other in kept:
        other.obj(None)
""",
    ),
    conftest_way(
        "its stash emptied and a marker added",
        """
@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    for item in kept:
        item.stash._storage.clear()
        item.add_marker("live_safe")
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    return True
""",
    ),
    conftest_way(
        "an item made anew",
        """
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    if item not in kept:
        function = (item.config.rootpath / "ran").touch
        new = pytest.Function.from_parent(item.parent, name="test_unsafe", callobj=lambda: function())
        new.runtest()
""",
    ),
]
