"""What a run of pytest pays for this plugin before it does anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

MODULES = """
import json, sys, pytest
code = pytest.main(sys.argv[1:])
print(json.dumps([code, sorted(sys.modules)]))
"""
OURS = {
    "deploy_plugin",
    "deploy_plugin.defaults",
    "deploy_plugin.errors",
    "deploy_plugin.fixtures",
    "deploy_plugin.hookspecs",
    "deploy_plugin.markers",
    "deploy_plugin.plugin",
}


def imported(folder: Path, *arguments: str) -> tuple[int, set[str]]:
    """Give the exit code of a pytest run of its own, and all modules that it has imported."""
    done = subprocess.run(
        [sys.executable, "-c", MODULES, "-p", "no:cacheprovider", "-p", "no:django", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    return code, set(modules)


def test_a_run_without_a_target_imports_next_to_nothing_of_ours(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    (tmp_path / "deploy.toml").write_text("[app]\nname = 'superlists'\n")
    for arguments in (["--collect-only"], []):
        code, modules = imported(tmp_path, *arguments)
        _, without = imported(tmp_path, *arguments, "-p", "no:deploy_plugin.plugin")
        assert code == 0
        assert modules - without == OURS
        assert {"docker", "tomllib"}.isdisjoint(modules)


def test_a_run_with_a_target_imports_what_deploys_only_once_it_goes_there(tmp_path: Path) -> None:
    code, modules = imported(tmp_path, "--deploy-plan")
    assert code == 4
    assert {"deploy_plugin.session", "tomllib"} <= modules
    assert {"deploy_plugin.transaction", "deploy_plugin.plan", "docker"}.isdisjoint(modules)


def test_the_public_names_are_there_when_they_are_used() -> None:
    asks = "import deploy_plugin as it; print([getattr(it, name).__module__ for name in it.__all__], hasattr(it, 'x'))"
    done = subprocess.run([sys.executable, "-c", asks], check=True, capture_output=True, text=True)
    assert done.stdout.count("'deploy_plugin.models'") == 7
    assert done.stdout.endswith("'deploy_plugin.models'] False\n")
