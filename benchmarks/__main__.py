"""Measure all of it, and write the page: make bench."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import environment, floor, images, machine, report, tables
from benchmarks.clock import Failed, timed
from benchmarks.measured import Heavy, Measured, Sample
from benchmarks.project import Project
from benchmarks.server import Server, running
from benchmarks.situations import SITUATIONS, meet
from benchmarks.tools import NAMES, Ansible, Pyinfra, PytestDeploy, Tool, in_round

RUNS = 5
GROWTH = 250_000_000  # bytes, on top of the site's 160 MB


def main() -> int:
    options = parsed()
    # Whoever stops it finds neither a slow wire nor a server left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            result = measure(Path(folder), options.tools, options.runs)
    except Failed as failure:
        sys.stderr.write(f"\nNothing was written: {failure}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped: nothing was written, nothing is left.\n")
        return 130
    sys.stdout.write(f"\n{tables.every(result)}\n")
    if options.into:
        report.publish(result, options.into)
    return 0


def parsed(typed: Sequence[str] | None = None) -> argparse.Namespace:
    """Read what was typed; ``into`` is None where nothing is to be written."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=_count, default=RUNS, metavar="N", help=f"rounds; default {RUNS}")
    parser.add_argument("--quick", action="store_true", help="one round, and write nothing: to try the benchmark")
    parser.add_argument(
        "--tools", type=lambda text: text.split(","), default=list(NAMES), metavar="NAME,NAME", help=", ".join(NAMES)
    )
    parser.add_argument("--into", type=Path, metavar="FOLDER", help="where benchmarks.md is; default docs/")
    options = parser.parse_args(typed)
    if options.quick:
        options.runs = 1
    elif not options.into:
        options.into = report.DOCS
    if unknown := set(options.tools) - set(NAMES):
        parser.error(f"--tools: {', '.join(sorted(unknown))} is none of {', '.join(NAMES)}")
    return options


def measure(folder: Path, names: list[str], runs: int) -> Measured:
    sys.stderr.write(machine.busy())
    programs = environment.ensure()
    every: list[Tool] = [PytestDeploy(), Pyinfra(programs), Ansible(programs)]
    tools = [tool for tool in every if tool.name in names]
    here = {**machine.describe(), "load before": f"{os.getloadavg()[0]:.1f}"}
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    samples: list[Sample] = []
    lowest: dict[str, list[float]] = {}
    try:
        images.warm(Project.copied(folder / "warm", "warm"))
        with running() as server:
            heavy = ship_much(Project.copied(folder / "heavy", "heavy"), server)
            with whole_rounds(samples):
                for number in range(runs):
                    for tool in in_round(tools, number):
                        project = Project.copied(folder / f"{number}-{tool.name}", f"{tool.name} {number} {when}")
                        samples += story(number, tool, project, server)
                        if isinstance(tool, PytestDeploy):
                            for name, seconds in floor.measure(project, server).items():
                                lowest.setdefault(name, []).append(seconds)
            return Measured(when, here, machine.versions(programs, server), samples, lowest, heavy)
    finally:
        images.remove()


@contextmanager
def whole_rounds(samples: list[Sample]) -> Iterator[None]:
    """Let Ctrl-C end the measuring: the rounds that are whole count, and if there is none, nothing does."""
    try:
        yield
    except KeyboardInterrupt:
        last = samples[-1].round if samples else 0
        if last == 0:
            raise
        samples[:] = [sample for sample in samples if sample.round < last]
        sys.stderr.write(f"\nStopped: {last} whole rounds count.\n")


def story(number: int, tool: Tool, project: Project, server: Server) -> Iterator[Sample]:
    """One tool meets all situations, on a server that it has for itself."""
    images.forget()
    server.empty()
    for situation in SITUATIONS:
        sample = meet(situation, number, tool, project, server)
        sent = f"{sample.to_server / tables.MB:8.2f} MB"
        sys.stderr.write(f"round {number + 1}  {tool.name:14} {situation.title:28} {sample.seconds:7.2f} s {sent}\n")
        yield sample


def ship_much(project: Project, server: Server) -> Heavy:
    """Deploy an image that is too big for anybody's memory, to an empty server."""
    project.grow(GROWTH)
    images.forget()
    server.empty()
    took = timed(PytestDeploy().command(project, server, slow=False))
    server.await_health(project.says)
    return Heavy(images.largest(), took.peak_memory, round(took.seconds, 3))


def _count(text: str) -> int:
    if (count := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least one round is needed")
    return count


if __name__ == "__main__":
    sys.exit(main())
