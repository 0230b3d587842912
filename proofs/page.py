"""What was found, as tables on the page: drawn from the values that were kept, never written by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.tables import table
from proofs.aims import DEPLOY, DOWNTIME, ROLLBACK
from proofs.blows import Blow
from proofs.results import About, Results

PAGE = "reliability.md"
BEGIN, END = "<!-- found: written by python -m proofs -->", "<!-- end of what was found -->"
NOT_YET = "Not made yet."


def draw(found: Results, folder: Path) -> None:
    """Put the tables between the page's markers, and leave the prose around them as it is."""
    page = folder / PAGE
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page} needs {BEGIN} and, below it, {END}.")
    page.write_text(f"{before}{begin}\n\n{every(found)}\n\n{end}{after}", encoding="utf-8")


def every(found: Results) -> str:
    """Give all of it, each proof below its heading."""
    parts = {"Load": _load, "Kills": _kills, "Faults": _faults}
    return "\n\n".join(f"### {name}\n\n{text(found)}" for name, text in parts.items())


def _load(found: Results) -> str:
    load = found.load
    if load is None:
        return NOT_YET
    made = ", ".join(f"{count:,} {kind}" for kind, count in load.requests.items())
    total = sum(load.requests.values())
    sums = [
        f"- Requests: {total:,} in {load.seconds:.0f} s, {load.rate:.0f} a second ({load.asked:.0f} were due): {made}",
        f"- Failed: **{len(load.failures)}**",
        f"- Writes and uploads acknowledged: {load.acknowledged:,}; missing afterwards: **{load.found.lost}**",
        f"- integrity_check: {load.found.integrity}",
    ]
    rows = [
        [
            act.what,
            str(len(act.seconds)),
            f"{max(act.seconds):.1f} s",
            f"{act.requests:,}",
            f"**{act.failed}**",
            *(f"{milliseconds:.0f} ms" for milliseconds in act.latencies.values()),
        ]
        for act in load.acts
    ]
    head = ["what was done", "times", "longest", "requests meanwhile", "failed", *load.acts[0].latencies]
    failures = [f"- {failure}" for failure in load.failures[:20]]
    return "\n\n".join(filter(None, ["\n".join(sums), table(head, rows), "\n".join(failures), _about(found, "load")]))


def _kills(found: Results) -> str:
    if not found.kills:
        return NOT_YET
    kills = found.kills
    with_ssh, waited = (sum("ssh" in kill.what for kill in kills), sum(kill.waited for kill in kills))
    migrate, same = (
        _count(kills, lambda kill: kill.migrates and kill.run != ROLLBACK),
        sum(kill.same for kill in kills),
    )
    sums = [
        f"- Kills: **{len(kills)}**, of deploys with a migration: {migrate}",
        f"- Of the process with its ssh: {with_ssh}; of the process alone: {len(kills) - with_ssh}",
        *_four(kills),
        f"- Lease of the killed run waited for: {waited}; taken away: {len(kills) - waited}",
        f"- Next deploy of the same tree: {same}; of another: {len(kills) - same}",
        f"- Requests that failed meanwhile: **{sum(kill.failed for kill in kills)}**",
        *_of_another_kind(kills),
    ]
    places = [*dict.fromkeys(_place(kill) for kill in sorted(kills, key=_place))]
    rows = [
        [place, str(len(there)), f"**{_count(there, lambda kill: not kill.is_well)}**"]
        for place in places
        if (there := [kill for kill in kills if _place(kill) == place])
    ]
    head = ["where the run was", "kills", "not well after"]
    return "\n\n".join(["\n".join(sums), table(head, rows), *_wrong(kills), _about(found, "kills")])


def _of_another_kind(kills: Sequence[Blow]) -> list[str]:
    runs = Counter(kill.run for kill in kills)
    shown = sum(kill.closed for kill in kills)
    return [
        *(f"- Among them, of a {run}: {count}" for run in (DOWNTIME, ROLLBACK) if (count := runs[run])),
        *([f"- Requests that got the maintenance page meanwhile, of a downtime: {shown}"] if shown else []),
    ]


def _faults(found: Results) -> str:
    if not found.faults:
        return NOT_YET
    rows = []
    for what in dict.fromkeys(blow.what for blow in found.faults):
        these = [blow for blow in found.faults if blow.what == what]
        rows.append(
            [
                what,
                str(len(these)),
                ", ".join(dict.fromkeys(_place(blow) for blow in these)),
                f"**{_count(these, lambda blow: not blow.found.answers)}**",
                f"**{sum(blow.found.lost + blow.then.lost for blow in these)}**",
                f"**{_count(these, lambda blow: blow.exit_code != 0)}**",
                f"{max(blow.away for blow in these):.1f} s" if any(blow.failed for blow in these) else "never",
            ]
        )
    head = ["what happened", "times", "where the run was", "did not answer", "rows lost", "next deploy failed"]
    text = table([*head, "away at most"], rows)
    return "\n\n".join(["\n".join(_four(found.faults)), text, *_wrong(found.faults), _about(found, "faults")])


def _four(blows: Sequence[Blow]) -> list[str]:
    """Say how often one of the four things was not so."""
    both = [found for blow in blows for found in (blow.found, blow.then)]
    silent, lost = (sum(not found.answers for found in both), sum(found.lost for found in both))
    twice, broken = (sum(found.twice for found in both), sum(found.integrity != "ok" for found in both))
    failed, left = (_count(blows, lambda blow: blow.exit_code != 0), _count(blows, lambda blow: bool(blow.left)))
    return [
        f"- The site did not answer: **{silent}**",
        f"- Acknowledged rows missing: **{lost}**; migrations applied twice: **{twice}**",
        f"- integrity_check not ok: **{broken}**",
        f"- The next deploy did not succeed: **{failed}**; left something behind: **{left}**",
    ]


def _wrong(blows: Iterable[Blow]) -> list[str]:
    """Tell those one by one after which something was not so."""
    lines = [f"- {blow.what}, {blow.place} ({blow.after:.2f} s): {_reason(blow)}" for blow in blows if not blow.is_well]
    return ["\n".join(lines)] if lines else []


def _reason(blow: Blow) -> str:
    what = f"right after: {blow.found}; the next deploy's exit code: {blow.exit_code}, then: {blow.then}"
    return f"{what}; left: {blow.left or '-'}"


def _about(found: Results, name: str) -> str:
    return "\n".join(map(_line, found.about[name]))


def _line(about: About) -> str:
    where = "; ".join([*about.machine.values(), *(f"{name} {version}" for name, version in about.versions.items())])
    return f"{about.when}. `{about.command}`. {where}."


def _place(blow: Blow) -> str:
    """Give the step, or what stands for it, and of what, where it is no plain deploy."""
    place = blow.place.partition(",")[0]
    return place if blow.run == DEPLOY else f"{blow.run}: {place}"


def _count(blows: Iterable[Blow], so: Callable[[Blow], bool]) -> int:
    return sum(map(so, blows))
