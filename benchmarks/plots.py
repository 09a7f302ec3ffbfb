"""Plots of measured figures as SVG, equal byte for byte for equal figures.

Grey text without a background: they are read on light and on dark pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measurement import Spread

SALT = "compute-optimizer"
"""Of the ids inside SVG files, which matplotlib draws at random otherwise."""

GREY, BLUE, ORANGE = "#7d8590", "#3b82d6", "#d9822b"
"""A contrast of at least 3 with white and with black."""

STYLE: Any = {
    "svg.hashsalt": SALT,
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": GREY,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}

WIDTH, ROW = 8.0, 0.34
"""Inches."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a plot."""

    name: str
    value: Spread
    at_least: float | None = None
    at_most: float | None = None


def write(path: Path, lines: Sequence[Line], label: str) -> None:
    """Draw the spread of each line and its aim on a log axis, the first line on top."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 1 + ROW * len(lines)), layout="constrained")
        axes = figure.add_subplot()
        axes.set_xscale("log")
        for place, line in enumerate(reversed(lines)):
            _draw(axes, place, line)
        axes.set_yticks(range(len(lines)), [line.name for line in reversed(lines)])
        axes.set_xlabel(label)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
        axes.grid(axis="x", color=GREY, alpha=0.25)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.tick_params(axis="y", length=0)
        figure.savefig(path, format="svg", transparent=True, metadata={"Date": None})


def _draw(axes: Any, place: int, line: Line) -> None:
    axes.hlines(place, *line.value.extremes, color=BLUE, linewidth=1)
    axes.hlines(place, *line.value.quartiles, color=BLUE, linewidth=4)
    axes.plot(line.value.median, place, "o", color=BLUE, markersize=6)
    for aim, marker in ((line.at_least, 9), (line.at_most, 8)):
        # Markers 9 and 8 are carets: the side on which figures should lie.
        if aim is not None:
            axes.plot(aim, place, marker=marker, color=ORANGE, markersize=9, linestyle="none")
