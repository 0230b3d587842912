"""Who is told how a run goes."""

from __future__ import annotations

from dataclasses import dataclass, field

from deploy_plugin.models import App, Release, StepReport, Target
from deploy_plugin.steps.base import Step


@dataclass
class Told:
    """The hooks that a run calls; keeps what it is told."""

    events: list[str] = field(default_factory=list)

    def pytest_deploy_steps(self, *, app: App, target: Target, steps: list[Step]) -> None:
        """Leave the plan as it is."""

    def pytest_deploy_step_started(self, *, step: Step) -> None:
        self.events.append(f"start {step.title}")

    def pytest_deploy_step_finished(self, *, step: Step, report: StepReport) -> None:
        self.events.append(f"finish {step.title} {report.outcome}")

    def pytest_deploy_release_chosen(self, *, release: Release) -> None:
        self.events.append(f"release {release.id}")
