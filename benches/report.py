"""The table and the plot of a run of the benchmark."""

from dataclasses import dataclass
from typing import Optional


@dataclass
class Row:
    """One line: medians of both libraries, the goal as a ratio, and the best of each."""

    name: str
    unit: str
    theirs: float
    ours: float
    goal: Optional[float]
    best_theirs: float
    best_ours: float

    @property
    def ratio(self):
        """How many times faster, or smaller, ours is."""
        return self.theirs / self.ours if self.ours else float("inf")


def amount(value, unit):
    """A figure with three digits and a unit that suits it."""
    if unit == "ns":
        for factor, name in ((1e9, "s"), (1e6, "ms"), (1e3, "us")):
            if value >= factor:
                return f"{value / factor:.3g} {name}"
    if value >= 1000:
        return f"{value:.0f} {unit}"
    return f"{value:.3g} {unit}"


def markdown(rows):
    """The table. A goal that is missed is marked."""
    lines = ["| | libotr 4.1.1 | this library | ratio | goal | best of libotr | best of this |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        goal = "" if row.goal is None else f"{row.goal:g}" + ("" if row.ratio >= row.goal else " (missed)")
        lines.append(f"| {row.name} | {amount(row.theirs, row.unit)} | {amount(row.ours, row.unit)} "
                     f"| {row.ratio:.2f} | {goal} | {amount(row.best_theirs, row.unit)} "
                     f"| {amount(row.best_ours, row.unit)} |")
    return "\n".join(lines) + "\n"


def plot(rows):
    """Bars of the ratios of all rows that have a goal, with the goal marked, as SVG."""
    shown = [row for row in rows if row.goal is not None]
    left, width, height = 300, 420, 26
    scale = width / max((max(row.ratio, row.goal) for row in shown), default=1)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 70}" '
             f'height="{height * len(shown) + 44}" font-family="sans-serif" font-size="13">',
             '<rect width="100%" height="100%" fill="white"/>',
             '<text x="10" y="20">times as fast (or small) as libotr 4.1.1; the line is the goal</text>']
    for number, row in enumerate(shown):
        top = 34 + number * height
        goal = left + row.goal * scale
        parts += [f'<text x="{left - 8}" y="{top + 15}" text-anchor="end">{row.name}</text>',
                  f'<rect x="{left}" y="{top + 3}" width="{row.ratio * scale:.1f}" height="17" fill="#3b7dd8"/>',
                  f'<line x1="{goal:.1f}" y1="{top}" x2="{goal:.1f}" y2="{top + 23}" stroke="#c33" '
                  'stroke-width="2"/>',
                  f'<text x="{left + max(row.ratio, row.goal) * scale + 6:.1f}" y="{top + 16}">{row.ratio:.1f}</text>']
    return "\n".join(parts + ["</svg>"]) + "\n"


def replace_between(path, begin, end, text):
    """Puts text between two lines of a file."""
    with open(path, encoding="utf-8") as file:
        content = file.read()
    head, rest = content.split(begin, 1)
    _, tail = rest.split(end, 1)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{head}{begin}\n\n{text}\n{end}{tail}")
