"""The server fails during a deploy, or the connection to it, or the deploying process stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from deploy_plugin.sandbox.inventory import container_name
from proofs.aims import MIGRATING, Aim
from proofs.blows import Blow, Blows, Next
from proofs.site import NotTrue, served, visited

RATE, DRAIN = 20, 5
PATIENCE = 90
"""Seconds that a server may take until its site answers again."""
# As a server does that restarts Docker: what started it here must not see it end, or the sandbox would end too.
RESTART_DOCKER = """
set -e
bash=$(pgrep -x bash -P 1) && kill -STOP "$bash"
kill "$(cat /run/docker.pid)"
while [ -e /run/docker.pid ]; do sleep 0.1; done
setsid dockerd </dev/null >/var/log/docker.log 2>&1 &
for _ in $(seq 300); do docker version >/dev/null 2>&1 && exit; sleep 0.1; done
cat /var/log/docker.log; exit 1
"""
CUT_SSH = "pgrep -u deploy sshd | xargs -r kill -KILL"
# Neither end hears of the other any more, on the connections that there are; new ones can be made.
LOSE_SSH = """
ss -tnH state established '( sport = :22 )' | while read -r _ _ _ peer; do
    iptables -I INPUT -p tcp --dport 22 --sport "${peer##*:}" -j DROP
done
"""
# The disk of Docker and of the deploys: room for a few releases.
SMALL_DISK = """
set -e
kill -STOP "$(pgrep -x bash -P 1)"
kill "$(cat /run/docker.pid)"
while [ -e /run/docker.pid ]; do sleep 0.1; done
mkdir -p /disk /home/deploy/deploy
mount -t tmpfs -o size=1g tmpfs /disk
mkdir /disk/docker /disk/deploy
chown deploy:deploy /disk/deploy
mount --bind /disk/docker /var/lib/docker
mount --bind /disk/deploy /home/deploy/deploy
setsid dockerd </dev/null >/var/log/docker.log 2>&1 &
for _ in $(seq 100); do docker version >/dev/null 2>&1 && exit; sleep 0.1; done
cat /var/log/docker.log; exit 1
"""
FILL = "cat /dev/zero > /disk/filler"
EMPTY = "rm -f /disk/filler"


FULL = "the server's disk is full from then on, until the deploy has ended"
STOOD_STILL = "the process stands still until its lease has ended and another has deployed, and goes on"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens, and during which steps."""

    what: str
    steps: Sequence[str]
    script: str = ""
    """For a shell of root's on the server; ``$1`` is its container, for one here."""
    here: bool = False
    how: str = "command"
    when: str = "between"

    def aims(self, container: str) -> Iterator[Aim]:
        command = ("sh", "-c", self.script, "sh", container)
        for step in self.steps:
            yield Aim(
                step,
                "before" if step == TESTS else self.when,
                self.how,
                self.what,
                migrates=step in MIGRATING,
                command=command if self.here else ("docker", "exec", container, *command),
                waits=self.how == "lost" or self.script == FILL,
            )


TESTS = "the tests"
FAULTS = (
    Fault(
        "Docker on the server is restarted",
        ("Ship image", "Start the release", "Migrate", "Switch", "Keep the record", TESTS),
        RESTART_DOCKER,
    ),
    Fault(
        "the ssh connection is cut",
        ("Ship image", "Rehearse the migration", "Migrate", "Switch", "Keep the record", TESTS),
        CUT_SSH,
    ),
    Fault("the ssh connection is silent from then on", ("Ship image", "Migrate", "Switch", TESTS), LOSE_SSH),
    Fault(
        "the power goes here: the process is killed, and the server hears nothing of it",
        ("Ship image", "Start the release", "Migrate", "Switch", "Keep the record"),
        LOSE_SSH,
        how="lost",
    ),
    Fault(
        "the server is killed and started",
        ("Ship image", "Start the release", "Rehearse the migration", "Migrate", "Switch", "Keep the record", TESTS),
        'docker kill "$1" && docker start "$1"',
        here=True,
    ),
    Fault(
        "the process stands still until its lease has ended and another has deployed, then goes on",
        ("Ship image", "Migrate", "Switch", "Keep the record"),
        how="freeze",
    ),
)
FULL = "the server's disk is full from then on, until the deploy has ended"


def prove(only: str, keep: Callable[[Blow], None]) -> None:
    """Deal every blow once, or those whose name has the words ``only``; ``keep`` gets each."""
    chosen = [fault for fault in FAULTS if only in fault.what]
    if chosen:
        _strike(chosen, keep)
    if only in FULL:
        _fill_the_disk(keep)


def _strike(chosen: Sequence[Fault], keep: Callable[[Blow], None]) -> None:
    with served("proof-faults", drain=DRAIN) as site, visited(site, RATE, "faults", threads=8, uploads=1) as visitors:
        blows = Blows(site, visitors, patience=PATIENCE)
        every = [aim for fault in chosen for aim in fault.aims(container_name(site.server.sandbox))]
        for number, aim in enumerate(every):
            freezes = aim.how == "freeze"
            keep(blows.freeze(number, aim) if freezes else _required(blows.strike(number, aim, Next()), aim))


def _fill_the_disk(keep: Callable[[Blow], None]) -> None:
    with served("proof-disk", drain=DRAIN, script=SMALL_DISK) as site:
        site.change(migrates=True)
        first = site.deploy()
        first.require(0)
        titles = [step["title"] for step in first.report["steps"]]
        fault = Fault(FULL, titles, FILL, when="before")
        with visited(site, RATE, "disk", threads=8, uploads=1) as visitors:
            blows = Blows(site, visitors, mend=partial(site.server.as_root, EMPTY), patience=PATIENCE)
            for number, aim in enumerate(fault.aims(container_name(site.server.sandbox)), start=100):
                keep(_required(blows.strike(number, aim, Next()), aim))


def _required(blow: Blow | None, aim: Aim) -> Blow:
    if blow is None:
        raise NotTrue(f"the deploy was not struck {aim}: it did not get there")
    return blow
