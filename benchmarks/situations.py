"""What a deploy finds: told as one story, each situation beginning where the one before ended."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks import tools
from benchmarks.clock import timed
from benchmarks.measured import Sample
from benchmarks.project import Project
from benchmarks.server import Server
from benchmarks.tools import Tool


@dataclass(frozen=True, slots=True)
class Situation:
    """One thing that happens between two deploys."""

    key: str
    title: str
    change: Callable[[Project], None] | None = None
    slow: bool = False
    far: bool = False


SITUATIONS = (
    Situation("first", "First deploy"),
    Situation("nothing", "Nothing changed"),
    Situation("line", "One line changed", Project.change_a_line),
    Situation("dependency", "One dependency added", Project.add_a_dependency),
    Situation("nothing-slow", "Nothing changed, 20 Mbit/s", slow=True),
    Situation("line-slow", "One line changed, 20 Mbit/s", Project.change_a_line, slow=True),
    Situation("nothing-far", "Nothing changed, 40 ms away", far=True),
    Situation("line-far", "One line changed, 40 ms away", Project.change_a_line, far=True),
)


def meet(situation: Situation, number: int, tool: Tool, project: Project, server: Server) -> Sample:
    """Let the change happen, deploy it, and see that it serves; ``Failed`` where it does not."""
    if situation.change:
        situation.change(project)
    project.path(tools.REPORT).unlink(missing_ok=True)
    with ExitStack() as link:
        if situation.slow:
            link.enter_context(server.slowed_down())
        there = link.enter_context(server.far_away()) if situation.far else server
        before = server.traffic()
        took = timed(tool.command(project, there, slow=situation.slow))
        traffic = server.traffic().since(before)
        tools.settle(project, there)
    server.await_health(project.says)
    return Sample(
        round=number,
        situation=situation.key,
        tool=tool.name,
        seconds=round(took.seconds, 3),
        to_server=traffic.to_server,
        from_server=traffic.from_server,
        peak_memory=took.peak_memory,
        steps=tools.steps(project),
    )
