"""The deploying process is killed, again and again, and the site is looked at each time."""

from __future__ import annotations

import random
from collections.abc import Callable

from proofs import aims
from proofs.blows import Blow, Blows, Next
from proofs.site import served, visited

COUNT, SEED, RATE, DRAIN = 120, 1, 20, 5
WAITS_EVERY = 10
"""Of so many kills, after one the lease of the killed run is waited for; after the others it is taken away."""


def sweep(count: int, seed: int, begin: int, keep: Callable[[Blow], None]) -> None:
    """Kill so many deploys, but for the first ``begin`` of them, which were killed before; ``keep`` gets each."""
    with served("proof-kills", drain=DRAIN) as site:
        site.change(migrates=True)
        first = site.deploy()
        first.require(0)
        every = aims.kills(first.report["steps"], count, seed)
        with visited(site, RATE, f"kills-{seed}-{begin}", threads=8, uploads=1) as visitors:
            blows = Blows(site, visitors)
            for number, aim in enumerate(every[begin:], start=begin):
                if blow := blows.strike(number, aim, _next(number, seed)):
                    keep(blow)


def _next(number: int, seed: int) -> Next:
    chance = random.Random(f"{seed} {number}")  # noqa: S311 - to be the same again
    return Next(waits=number % WAITS_EVERY == 0, same=chance.random() < 1 / 2)
