"""What was measured, as tables in Markdown: they can be read on a terminal, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks import floor
from benchmarks.arithmetic import Spread, ratio
from benchmarks.measured import Measured
from benchmarks.situations import SITUATIONS, Situation
from benchmarks.tools import ANSIBLE, NAMES, OURS, PYINFRA

MB = 1_000_000
SHOWN_SECONDS = 0.02
GOALS = {
    ("nothing", ANSIBLE): 7,
    ("nothing", PYINFRA): 4,
    ("line", ANSIBLE): 8,
    ("line", PYINFRA): 3,
    ("line-slow", ANSIBLE): 30,
    ("line-slow", PYINFRA): 30,
    ("first", ANSIBLE): 2.5,
    ("first", PYINFRA): 1.3,
}
"""How many times faster we are out to be."""


def every(measured: Measured) -> str:
    """Give all tables, each below a heading."""
    parts = {
        "Seconds": seconds(measured),
        "Goals": goals(measured),
        "Bytes on the wire": traffic(measured),
        "Memory": memory(measured),
        "The floor": lowest(measured),
        "Where our time goes": steps(measured),
        "Machine and versions": where(measured),
    }
    return "\n\n".join(f"## {heading}\n\n{text}" for heading, text in parts.items() if text)


def seconds(measured: Measured) -> str:
    """Compare what the whole commands took."""
    peers = [name for name in _tools(measured) if name != OURS]
    rows = []
    for situation in _situations(measured):
        taken = {name: measured.seconds(situation.key, name) for name in _tools(measured)}
        cells = [_spread(Spread.of(taken[name])) for name in taken]
        compared = [_times(ratio(taken[peer], taken[OURS])) for peer in peers if OURS in taken]
        rows.append([situation.title, *cells, *compared])
    head = ["", *_tools(measured), *(f"{peer} / ours" for peer in peers if OURS in _tools(measured))]
    rounds = "one round" if measured.rounds == 1 else f"{measured.rounds} rounds"
    return f"{table(head, rows)}\n\nMedian (lowest to highest) of {rounds}; ratios are of the same round."


def goals(measured: Measured) -> str:
    """Hold the ratios against what we are out for."""
    rows = []
    for (key, peer), wanted in GOALS.items():
        ours, theirs = measured.seconds(key, OURS), measured.seconds(key, peer)
        if ours and theirs:
            found = ratio(theirs, ours).median
            title = next(situation.title for situation in SITUATIONS if situation.key == key)
            rows.append([title, peer, f"{wanted:g}x", f"{found:.1f}x", "reached" if found >= wanted else "missed"])
    return table(["", "faster than", "goal", "seen", "so it is"], rows) if rows else ""


def traffic(measured: Measured) -> str:
    rows = []
    for situation in _situations(measured):
        cells = []
        for name in _tools(measured):
            found = measured.of(situation.key, name)
            up, down = median(s.to_server for s in found), median(s.from_server for s in found)
            cells.append(f"{_megabytes(up)} + {_megabytes(down)}")
        rows.append([situation.title, *cells])
    return f"{table(['', *_tools(measured)], rows)}\n\nMegabytes, to the server + from it; medians."


def memory(measured: Measured) -> str:
    rows = []
    for name in _tools(measured):
        peaks = [sample.peak_memory for sample in measured.samples if sample.tool == name]
        rows.append([f"{name}, in any of these situations", f"{max(peaks) / MB:.0f} MB"])
    if measured.heavy:
        what = f"{OURS}, shipping an image of {measured.heavy.image_bytes / MB:.0f} MB"
        rows.append([what, f"{measured.heavy.peak_memory / MB:.0f} MB"])
    return f"{table(['', 'largest process'], rows)}"


def lowest(measured: Measured) -> str:
    """Show what no deploy can do without, and how far from it ours are."""
    rows = [[name, _spread(Spread.of(figures))] for name, figures in measured.floor.items()]
    text = table(["", "seconds"], rows) if rows else ""
    for situation in _situations(measured):
        needed = floor.NEEDED.get(situation.key, ())
        ours = measured.seconds(situation.key, OURS)
        if needed and ours and set(needed) <= set(measured.floor):
            least = sum(median(measured.floor[name]) for name in needed)
            above = median(ours) - least
            text += (
                f"\n\n{situation.title}: {' + '.join(needed)} = {least:.2f} s. "
                f"Ours took {median(ours):.2f} s, {above:.2f} s more."
            )
    return text


def steps(measured: Measured) -> str:
    """Show the seconds of our steps, but for those that take next to none anywhere."""
    found = {
        situation.title: [sample.steps for sample in measured.of(situation.key, OURS)]
        for situation in _situations(measured)
    }
    titles = list(dict.fromkeys(title for samples in found.values() for sample in samples for title in sample))
    middles = {
        title: [median(sample.get(title, 0.0) for sample in samples) for samples in found.values() if samples]
        for title in titles
    }
    rows = [
        [title, *(f"{middle:.2f}" for middle in row)] for title, row in middles.items() if max(row) >= SHOWN_SECONDS
    ]
    return table(["", *(title for title, samples in found.items() if samples)], rows) if rows else ""


def where(measured: Measured) -> str:
    rows = [[name, text] for name, text in [*measured.machine.items(), *measured.versions.items()]]
    return table(["measured", measured.when], rows, words=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, words: bool = False) -> str:
    """Make the columns as wide as their widest cell; figures are set right, the first column and words left."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    left = [words or column == 0 for column in range(len(head))]
    rule = ["-" * width if is_left else "-" * (width - 1) + ":" for width, is_left in zip(widths, left, strict=True)]
    padded = [
        [
            cell.ljust(width) if is_left else cell.rjust(width)
            for cell, width, is_left in zip(line, widths, left, strict=True)
        ]
        for line in [lines[0], rule, *lines[1:]]
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)


def _tools(measured: Measured) -> list[str]:
    took_part = {sample.tool for sample in measured.samples}
    return [name for name in NAMES if name in took_part]


def _situations(measured: Measured) -> list[Situation]:
    met = {sample.situation for sample in measured.samples}
    return [situation for situation in SITUATIONS if situation.key in met]


def _spread(spread: Spread) -> str:
    if spread.low == spread.high:
        return f"{spread.median:.2f}"
    return f"{spread.median:.2f} ({spread.low:.2f} to {spread.high:.2f})"


def _times(spread: Spread) -> str:
    if spread.low == spread.high:
        return f"{spread.median:.1f}x"
    return f"{spread.median:.1f}x ({spread.low:.1f} to {spread.high:.1f})"


def _megabytes(count: float) -> str:
    return f"{count / MB:.2f}" if count < 10 * MB else f"{count / MB:.0f}"
