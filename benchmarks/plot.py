"""The seconds as a picture: a panel for each situation, a bar for each tool, with nothing but the standard library."""

from __future__ import annotations

import html
from dataclasses import dataclass

from benchmarks.arithmetic import Spread
from benchmarks.measured import Measured
from benchmarks.situations import SITUATIONS
from benchmarks.tools import ANSIBLE, NAMES, OURS, PYINFRA

WIDTH, MARGIN, GAP = 984, 24, 32
TITLE, LINE, BAR, NAME, FIGURE, PANEL_HEAD = 64, 30, 16, 96, 64, 30
COLUMNS = 2
PANEL = (WIDTH - 2 * MARGIN - GAP) / COLUMNS
LENGTH = PANEL - NAME - FIGURE  # of the longest whisker of a panel
# As in run.svg: a dark sheet of its own, which reads the same on a light page and on a dark one.
INK, FAINT, PAPER, FRAME = "#e6edf3", "#8b949e", "#0d1117", "#30363d"
COLORS = {OURS: "#56d364", PYINFRA: "#79c0ff", ANSIBLE: "#e3b341"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One situation."""

    title: str
    bars: dict[str, Spread]

    @property
    def height(self) -> float:
        return PANEL_HEAD + len(self.bars) * LINE

    def words(self) -> str:
        return f"{self.title}: {', '.join(f'{name} {spread.median:.1f} s' for name, spread in self.bars.items())}."


def draw(measured: Measured) -> str:
    """Make an SVG; each panel has a scale of its own, from zero to its slowest run."""
    panels = _panels(measured)
    places, height = [], float(TITLE)
    for start in range(0, len(panels), COLUMNS):
        row = panels[start : start + COLUMNS]
        places += [(MARGIN + column * (PANEL + GAP), height) for column in range(len(row))]
        height += max(panel.height for panel in row) + MARGIN
    drawn = "\n".join(_panel(panel, x, y) for panel, (x, y) in zip(panels, places, strict=True))
    words = html.escape(" ".join(panel.words() for panel in panels))
    title = "Seconds that a deploy takes, the whole command"
    note = (
        f"median of {measured.rounds}, whiskers from lowest to highest; each panel has its own scale; shorter is better"
    )
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" \
role="img" aria-labelledby="title desc">
<title id="title">{title}</title>
<desc id="desc">{words}</desc>
<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="10" fill="{PAPER}" stroke="{FRAME}"/>
<g font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', 'Liberation Sans', sans-serif" font-size="13" \
fill="{INK}">
<text x="{MARGIN}" y="30" font-size="16" font-weight="bold">{title}</text>
<text x="{MARGIN}" y="50" fill="{FAINT}" font-size="12">{note}</text>
{drawn}
</g>
</svg>
"""


def _panels(measured: Measured) -> list[Panel]:
    panels = []
    for situation in SITUATIONS:
        taken = {name: measured.seconds(situation.key, name) for name in NAMES}
        bars = {name: Spread.of(figures) for name, figures in taken.items() if figures}
        if bars:
            panels.append(Panel(situation.title, bars))
    return panels


def _panel(panel: Panel, x: float, y: float) -> str:
    scale = LENGTH / max(spread.high for spread in panel.bars.values())
    lines = [f'<text x="{x:.0f}" y="{y + 18:.0f}" font-weight="bold">{html.escape(panel.title)}</text>']
    for place, (name, spread) in enumerate(panel.bars.items()):
        lines.append(_bar(name, spread, scale, x, y + PANEL_HEAD + place * LINE))
    return "\n".join(lines)


def _bar(name: str, spread: Spread, scale: float, x: float, y: float) -> str:
    zero, middle = x + NAME, y + BAR / 2
    low, median, high = (zero + figure * scale for figure in (spread.low, spread.median, spread.high))
    whisker = f"M{low:.1f} {middle:.1f}H{high:.1f}M{low:.1f} {middle - 4:.1f}v8M{high:.1f} {middle - 4:.1f}v8"
    width = max(median - zero, 1)
    return (
        f'<text x="{zero - 8:.0f}" y="{middle + 4.5:.1f}" text-anchor="end">{html.escape(name)}</text>'
        f'<rect x="{zero:.1f}" y="{y:.1f}" width="{width:.1f}" height="{BAR}" rx="2" fill="{COLORS[name]}"/>'
        f'<path d="{whisker}" stroke="{PAPER}" stroke-width="4"/>'
        f'<path d="{whisker}" stroke="{INK}" stroke-width="1.5"/>'
        f'<text x="{max(high, median) + 8:.1f}" y="{middle + 4.5:.1f}">{spread.median:.1f} s</text>'
    )
