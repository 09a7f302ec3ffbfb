"""What a benchmark measured, in the one form that all print and `benchmarks.runner` reads.

A benchmark has `main(arguments)`, adds `--output` by `add_output` and ends with `show`: a table for
people, or one JSON document on the standard output and nothing else there.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TABLE, JSON = "table", "json"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure of a run, with a sample for every round."""

    name: str
    unit: str
    """Such as instances/s or ms."""
    samples: tuple[float, ...]
    """In the order of the rounds; at least one."""
    baselines: tuple[str, ...] = ()
    """Names of measurements of the same run and unit, to which its ratio is told."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the width of some samples."""

    median: float
    quartiles: tuple[float, float]
    """The first and the third: between them lies the interquartile range."""
    extremes: tuple[float, float]
    """The lowest and the highest."""


@dataclass(frozen=True, slots=True)
class Report:
    """All that one run of a benchmark tells."""

    measurements: tuple[Measurement, ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    """What else a reader must know, by its title: of what the fleet was made, say."""


def spread_of(samples: Sequence[float]) -> Spread:
    """Return the spread of at least one sample, quartiles interpolated between samples."""
    lowest, first, median, third, highest = np.percentile(samples, [0, 25, 50, 75, 100]).tolist()
    return Spread(median, (first, third), (lowest, highest))


def ratio_of(one: Measurement, baseline: Measurement) -> Spread:
    """Return the spread of the ratios of one to its baseline.

    Those of the same round, where both have one for each: a machine that others use slows both.
    Else the ratio of the medians. Raises ValueError where the baseline did nothing.
    """
    if not all(baseline.samples):
        raise ValueError(f"{baseline.name} measured 0 {baseline.unit}; give it more time")
    if len(one.samples) == len(baseline.samples):
        pairs = zip(one.samples, baseline.samples, strict=True)
        return spread_of([mine / theirs for mine, theirs in pairs])
    return spread_of([spread_of(one.samples).median / spread_of(baseline.samples).median])


def ratios(report: Report) -> dict[tuple[str, str], Spread]:
    """Return every ratio of a report, by the names of the measurement and its baseline."""
    named = {one.name: one for one in report.measurements}
    return {
        (one.name, baseline): ratio_of(one, named[baseline])
        for one in report.measurements
        for baseline in one.baselines
    }


def measurements_of(
    samples: Mapping[str, Sequence[float]], unit: str, of: str = ""
) -> tuple[Measurement, ...]:
    """Return samples by name as measurements; the others are baselines of the one named `of`."""
    others = tuple(name for name in samples if name != of)
    return tuple(
        Measurement(name, unit, tuple(found), others if name == of else ())
        for name, found in samples.items()
    )


def document(report: Report) -> dict[str, Any]:
    """Return a report as it is written: samples, and what follows from them."""
    found = ratios(report)
    written = []
    for one in report.measurements:
        to = {name: _spelled(found[one.name, name]) for name in one.baselines}
        said = {"name": one.name, "unit": one.unit, **_spelled(spread_of(one.samples))}
        written.append({**said, "samples": list(one.samples), "ratio_to": to})
    return {"measurements": written, "notes": dict(report.notes)}


def read(document: Mapping[str, Any]) -> Report:
    """Return the report of a document; raises KeyError where it is of another form."""
    measurements = tuple(
        Measurement(one["name"], one["unit"], tuple(one["samples"]), tuple(one["ratio_to"]))
        for one in document["measurements"]
    )
    return Report(measurements, document["notes"])


def read_any(document: Any) -> Report:
    """Return the report of a document; of one in another form, every number with its path."""
    if isinstance(document, Mapping) and "measurements" in document:
        return read(document)
    return Report(tuple(Measurement(path, "", (one,)) for path, one in _numbers(document, ())))


def _numbers(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _numbers(inner, (*path, str(key)))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _numbers(inner, (*path, str(place)))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield ": ".join(path), float(value)


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the option that every benchmark has."""
    parser.add_argument("--output", choices=(TABLE, JSON), default=TABLE)


def show(report: Report, output: str) -> None:
    """Print a report for people or for the runner; end the program where a ratio has no sense."""
    try:
        _show(report, output)
    except ValueError as error:
        sys.exit(str(error))


def _show(report: Report, output: str) -> None:
    if output == JSON:
        json.dump(document(report), sys.stdout, indent=2)
        print()
        return
    for title, text in report.notes.items():
        print(f"{title}: {text}")
    width = max(len(one.name) for one in report.measurements)
    for one in report.measurements:
        print(f"  {one.name:<{width}} {_told(spread_of(one.samples))} {one.unit}")
    for (name, baseline), found in ratios(report).items():
        print(f"  {name} / {baseline}: {_told(found).strip()}")


def figure(value: float) -> str:
    """Return a figure with three digits that count, and thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return (
        f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else _small(value)
    )


def _small(value: float) -> str:
    return f"{value:.3g}"


def _told(found: Spread) -> str:
    (first, third), (lowest, highest) = found.quartiles, found.extremes
    middle = f"{figure(found.median):>10}"
    if lowest == highest:
        return middle
    return (
        f"{middle} (quartiles {figure(first)} to {figure(third)}, "
        f"all {figure(lowest)} to {figure(highest)})"
    )


def _spelled(found: Spread) -> dict[str, Any]:
    return {
        "median": found.median,
        "quartiles": list(found.quartiles),
        "extremes": list(found.extremes),
    }
