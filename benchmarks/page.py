"""Write docs/performance.md and its plots of what is in benchmarks/results.

python -m benchmarks.page [--results FOLDER] [--docs FOLDER]
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.aims import Claim, claimed, found, is_met
from benchmarks.listing import BENCHMARKS
from benchmarks.machine import ROOT
from benchmarks.measurement import Measurement, Report, Spread, figure, read, spread_of
from benchmarks.plots import Line, write
from benchmarks.runner import RESULTS

DOCS = ROOT / "docs"
PAGE = "performance.md"
RATIOS, PAGES = "performance-ratios.svg", "performance-pages.svg"
PAGED = "page_latency"
"""The benchmark of the second plot."""

INTRODUCTION = """\
# Performance

What was measured, beside peers in the same run, and what limits it. Written by `make bench`; do not
edit by hand.

`make bench` measures at a size that fits into ten minutes on two cores; `make bench-full` at full
size, after it has said what time and disk that takes. Each benchmark runs in a process of its own
and writes a file in `benchmarks/results`, with every sample, the machine, how busy it was, and the
versions. `python -m benchmarks NAME` runs one, `python -m benchmarks --list` tells them all.

The load is that of real machines where a benchmark needs samples of a fleet: public traces,
resampled to five minutes, scaled, shifted in time and disturbed (`python -m benchmarks.fleets`
writes such a fleet of any size; without the traces, generated machines stand in, and the notes
below say so). The same seed makes the same fleet.
"""

READING_RATIOS = """\
A ratio is the median of the ratios of all rounds: each round measures both, one after the other, so
that whatever else the machine does slows both. In brackets are the lowest and the highest round. An
aim stands for the machine that it was measured on, a loaded one too.
"""

READING_PLOT = """\
The thick line holds the middle half of the rounds, the thin one all; the mark in orange is the aim,
and points to the side on which the figure should lie.
"""

RUNS = """\
Processor seconds are those of all processes of a benchmark; where they are far from its seconds, it
waited, or others had the cores. The load is the mean number of processes that wanted a core in the
minute before the start and before the end: above the number of cores, figures by themselves say
little, and ratios more. A commit with a plus had changes that were not committed.
"""


@dataclass(frozen=True, slots=True)
class Result:
    """A file of results."""

    record: Mapping[str, Any]
    report: Report

    @property
    def size(self) -> str:
        """Return how much was measured, for people."""
        told: str = self.record["size"]["told"]
        return told


def results(folder: Path) -> list[Result]:
    """Return what the folder holds, in the order of the listing; the full size comes last."""
    order = {one.name: place for place, one in enumerate(BENCHMARKS)}
    records = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    known = [one for one in records if one["benchmark"] in order]
    known.sort(key=lambda one: (order[one["benchmark"]], one["size"]["name"] == "full"))
    return [Result(one, read(one)) for one in known]


def page(all_results: Sequence[Result]) -> str:
    """Return the whole page."""
    parts = [
        INTRODUCTION,
        "## Beside peers and aims\n",
        READING_RATIOS,
        claims_table(all_results),
        f"![Ratios of the table with their aims]({RATIOS})",
        READING_PLOT,
        f"![Milliseconds of pages of the API]({PAGES})",
        "## What it ran on\n",
        machines(all_results),
        RUNS,
        runs_table(all_results),
        "## Every figure\n",
        *(section(one) for one in all_results),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def claims_table(all_results: Sequence[Result]) -> str:
    """Return what every claim came to."""
    rows = [
        [
            f"{claim.measurement} / {claim.baseline}" if claim.baseline else claim.measurement,
            one.size,
            _told(value, _unit(claim, one.report)),
            _aim(claim, _unit(claim, one.report)),
            {True: "met", False: "**not met**", None: ""}[is_met(claim, value)],
            claim.limit,
        ]
        for one, claim, value in _claims(all_results)
    ]
    return table(["what", "size", "measured", "aim", "", "what limits it"], rows)


def machines(all_results: Sequence[Result]) -> str:
    """Return every machine that was measured on, a line each."""
    lines = []
    for one in all_results:
        machine, versions = one.record["machine"], one.record["versions"]
        packages = ", ".join(f"{name} {text}" for name, text in versions["packages"].items())
        lines.append(
            f"- {machine['cores']} cores of {machine['model']}, {machine['memory_gib']} GiB, "
            f"{machine['system']}; Python {versions['python']}, {packages}."
        )
    return "\n".join(dict.fromkeys(lines))


def runs_table(all_results: Sequence[Result]) -> str:
    """Return when each benchmark ran, for how long, and how busy the machine was."""
    rows = []
    for one in all_results:
        record, load = one.record, one.record["machine"]["load"]
        rows.append(
            [
                record["benchmark"],
                one.size,
                record["began"].replace("T", " ").partition("+")[0],
                f"{record['seconds']:,.0f}",
                f"{record['processor_seconds']:,.0f}",
                f"{load['start'][0]:.1f} / {load['end'][0]:.1f}",
                record["versions"]["commit"],
            ]
        )
    headings = ["benchmark", "size", "began (UTC)", "seconds", "processor seconds"]
    return table([*headings, "load, start / end", "commit"], rows)


def section(one: Result) -> str:
    """Return every figure of a file of results."""
    notes = "".join(f" {title.capitalize()}: {text}." for title, text in one.report.notes.items())
    rows = [
        [m.name, m.unit, *_figures(spread_of(m.samples)), str(len(m.samples))]
        for m in one.report.measurements
    ]
    headings = ["", "unit", "median", "middle half", "all", "rounds"]
    title = f"### {one.record['benchmark']}, {one.size}"
    return f"{title}\n\n{one.record['what']}.{notes}\n\n{table(headings, rows)}"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def ratio_lines(all_results: Sequence[Result]) -> list[Line]:
    """Return the ratios of the table as lines of a plot."""
    return [
        Line(f"{c.measurement} /\n{c.baseline}, {one.size}", value, c.at_least, c.at_most)
        for one, c, value in _claims(all_results)
        if c.baseline
    ]


def page_lines(all_results: Sequence[Result]) -> list[Line]:
    """Return the milliseconds of the API's pages as lines of a plot."""
    aims = {claim.measurement: claim.at_most for claim in claimed(PAGED)}
    return [
        Line(f"{m.name},\n{one.size}", spread_of(m.samples), at_most=aims.get(m.name))
        for one in all_results
        if one.record["benchmark"] == PAGED
        for m in one.report.measurements
    ]


def _claims(all_results: Sequence[Result]) -> list[tuple[Result, Claim, Spread]]:
    return [
        (one, claim, value)
        for one in all_results
        for claim in claimed(one.record["benchmark"])
        if (value := found(claim, one.report)) is not None
    ]


def _unit(claim: Claim, report: Report) -> str:
    if claim.baseline:
        return ""
    named: dict[str, Measurement] = {one.name: one for one in report.measurements}
    return f" {named[claim.measurement].unit}"


def _told(value: Spread, unit: str) -> str:
    lowest, highest = value.extremes
    if lowest == highest:
        return f"{figure(value.median)}{unit}"
    return f"{figure(value.median)}{unit} ({figure(lowest)} to {figure(highest)})"


def _aim(claim: Claim, unit: str) -> str:
    if claim.at_least is not None:
        return f"at least {figure(claim.at_least)}{unit}"
    return f"at most {figure(claim.at_most)}{unit}" if claim.at_most is not None else ""


def _figures(value: Spread) -> list[str]:
    spans = (value.quartiles, value.extremes)
    return [figure(value.median), *(f"{figure(low)} to {figure(high)}" for low, high in spans)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page and its plots."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER")
    parser.add_argument("--docs", type=Path, default=DOCS, metavar="FOLDER")
    given = parser.parse_args(arguments)
    measured = results(given.results)
    if not measured:
        parser.error(f"there are no results in {given.results}; run `make bench` first")
    given.docs.mkdir(parents=True, exist_ok=True)
    (given.docs / PAGE).write_text(page(measured))
    write(given.docs / RATIOS, ratio_lines(measured), "ratio of the first to the second")
    write(given.docs / PAGES, page_lines(measured), "milliseconds")


if __name__ == "__main__":
    main()
