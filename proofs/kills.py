"""The process that changes a server is killed, again and again, and the site is looked at each time."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from proofs import aims
from proofs.aims import DOWNTIME, ROLLBACK, Aim
from proofs.blows import ALLOWED, CONFIRM, Blow, Blows, Next
from proofs.site import Site, served, visited

SEED, RATE, DRAIN = 1, 20, 5
WAITS_EVERY = 10
"""Of so many kills, after one the lease of the killed run is waited for; after the others it is taken away. During a
downtime it is every second one."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many kills of each kind of run, in this order."""

    deploys: int = 100
    rollbacks: int = 12
    downtimes: int = 14


def sweep(counts: Counts, seed: int, begin: int, keep: Callable[[Blow], None]) -> None:
    """Kill so many runs, but for the first ``begin`` of them, which were killed before; ``keep`` gets each."""
    with served("proof-kills", drain=DRAIN) as site:
        every = _aims(site, counts, seed)
        with visited(site, RATE, f"kills-{seed}-{begin}", threads=8, uploads=1) as visitors:
            blows = Blows(site, visitors)
            for number, aim in enumerate(every[begin:], start=begin):
                if aim.run == DOWNTIME:
                    site.confirm_within(CONFIRM)
                if blow := blows.strike(number, aim, _next(number, aim, seed)):
                    keep(blow)


def _aims(site: Site, counts: Counts, seed: int) -> list[Aim]:
    """Make each kind of run once, unharmed, to know what there is to be struck; then choose."""
    site.change(closes=True)
    closed = site.deploy(ALLOWED)
    closed.require(0)
    site.change(migrates=True)
    migrated = site.deploy()
    migrated.require(0)
    aims.take(Aim("", "never", "process", run=ROLLBACK), site.project.folder)
    site.roll_back().require(0)
    parts = aims.parts(site.project.folder)
    aims.release(site.project.folder)
    return [
        *aims.kills(migrated.report["steps"], counts.deploys, seed),
        *aims.rollbacks(parts, counts.rollbacks, seed),
        *aims.downtimes(closed.report["steps"], counts.downtimes, seed),
    ]


def _next(number: int, aim: Aim, seed: int) -> Next:
    chance = random.Random(f"{seed} {number}")  # noqa: S311 - to be the same again
    every = 2 if aim.run == DOWNTIME else WAITS_EVERY
    return Next(waits=number % every == 0, same=chance.random() < 1 / 2)
