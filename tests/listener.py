"""Who is told how a run goes."""

from __future__ import annotations

from dataclasses import dataclass, field

from deploy_plugin.models import Release, StepReport
from deploy_plugin.steps.base import Step


@dataclass
class Told:
    """A listener that keeps what it is told."""

    events: list[str] = field(default_factory=list)

    def step_started(self, step: Step) -> None:
        self.events.append(f"start {step.title}")

    def step_finished(self, step: Step, report: StepReport) -> None:
        self.events.append(f"finish {step.title} {report.outcome}")

    def release_chosen(self, release: Release) -> None:
        self.events.append(f"release {release.id}")
