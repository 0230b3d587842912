"""Whatever a user can type, read or implement is named by a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy_plugin import cli, hookspecs
from tests import there
from tests.documents import CHECKOUT

NOT_TESTS = ("test_docs.py", "test_tested.py")


def _everything() -> str:
    folders = [CHECKOUT / name for name in ("tests", "infra_tests", "functional_tests")]
    files = [path for folder in folders for path in folder.rglob("*.py") if path.name not in NOT_TESTS]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


TESTS = _everything()
HOOKS = [name for name in vars(hookspecs) if name.startswith("pytest_deploy_")]
COMMANDS = [command.split()[-1] for command, _ in there.commands(cli._parser())]  # noqa: SLF001 - argparse's way in
OURS = [name for name in there.options(there.our_parser()) if name.startswith("--")]
STEPS = [step.__name__ for step in there.step_classes()]


@pytest.mark.parametrize(
    "name", [*HOOKS, *OURS, *STEPS, *there.our_fixtures(), *there.our_markers(), "deploy_testpaths"]
)
def test_what_there_is_is_named_by_a_test(name: str) -> None:
    assert name in TESTS


@pytest.mark.parametrize("word", COMMANDS)
def test_every_command_is_typed_by_a_test(word: str) -> None:
    assert f'"{word}"' in TESTS


@pytest.mark.parametrize("code", sorted(there.exit_codes() - {int(code) for code in pytest.ExitCode}))
def test_every_exit_code_of_ours_is_seen_by_a_test(code: int) -> None:
    assert f"== {code}" in TESTS


def test_a_name_that_no_test_knows_is_missed() -> None:
    assert "--deploy-no-such-thing" not in TESTS
    assert Path(__file__).name in NOT_TESTS
