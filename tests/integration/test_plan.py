"""A plan and the deploy after it agree, on a real server, and the plan changes nothing there."""

from __future__ import annotations

import secrets

from tests.integration.projects import Project
from tests.integration.servers import RealServer


def plan_then_deploy(project: Project, server: RealServer) -> tuple[dict[str, str], dict[str, str]]:
    """Give what the plan foresaw, and what the deploy did; held against each other where the plan knew."""
    before = (server.containers(), server.files())
    plan = project.pytest(f"--deploy-to={server.target}", "--deploy-plan")
    assert plan.exit_code == 0, plan.output
    assert (server.containers(), server.files()) == before
    assert "nothing was changed" in plan.output

    deploy = project.pytest(f"--deploy-to={server.target}")
    assert deploy.exit_code == 0, deploy.output
    known = {title: outcome for title, outcome in plan.outcomes.items() if outcome != "skipped"}
    assert known.items() <= deploy.outcomes.items()
    return plan.outcomes, deploy.outcomes


def test_they_agree_from_the_first_deploy_on(empty_server: RealServer, project: Project) -> None:
    empty_server.sh("mkdir -p deploy")

    foreseen, done = plan_then_deploy(project, empty_server)
    assert foreseen["Switch"] == "changed"
    assert foreseen["Migrate"] == "skipped"
    assert done["Migrate"] == "changed"

    foreseen, _ = plan_then_deploy(project, empty_server)
    assert set(foreseen.values()) == {"ok"}

    # Something to build that no run before has built.
    project.edit("src/lists/views.py", "from", f"# {secrets.token_hex(8)}\nfrom")
    empty_server.sh("chmod 644 deploy/superlists/.env")
    foreseen, _ = plan_then_deploy(project, empty_server)
    assert foreseen["Ensure env file"] == foreseen["Build image"] == "changed"
    assert foreseen["Ensure database"] == "ok"
