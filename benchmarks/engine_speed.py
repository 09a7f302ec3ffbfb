"""Time the engine stage by stage on generated samples of a real shape.

    python -m benchmarks.engine_speed [RESOURCES] [--gaps] [--both] [--output json]

RESOURCES (4,000) x 14 days x 5 metrics, in memory as the tiles give them; one process, one
thread. `--gaps` takes away 1 % of the samples, `--both` adds CPU and memory averages. Each stage
runs three times; "percentile only" is numpy's own partition of the same arrays, the least that any
percentile rule costs.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import numpy as np
from msgspec import structs

from benchmarks.measurement import Report, add_output, measurements_of, show
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.catalog.risk_prior import load_risk_prior
from compute_optimizer.engine.recommender import decide
from compute_optimizer.engine.usage import choose_series, measure
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    Matrix,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.preferences import CALIBRATED, DEFAULT_PREFERENCES
from compute_optimizer.model.resource import EC2_INSTANCE, Resource
from compute_optimizer.resources.ec2.analysis import analyze
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS, WIRE_NAMES
from compute_optimizer.resources.ec2.records import recommendations_of
from compute_optimizer.resources.ec2_instance import recommend

AS_OF = datetime(2026, 1, 15, tzinfo=UTC)
DAYS = 14
SEED = 2026
FLEET_TYPES = (
    "m5.large",
    "m5.xlarge",
    "m5.2xlarge",
    "m5.4xlarge",
    "c5.xlarge",
    "c5.2xlarge",
    "r5.large",
    "r5.xlarge",
    "r5.2xlarge",
    "m4.xlarge",
    "c4.large",
    "t3.medium",
    "t3.large",
    "t3.xlarge",
    "m6i.large",
    "m6i.xlarge",
    "c6i.2xlarge",
    "r6i.xlarge",
    "m6a.xlarge",
    "m6g.large",
    "c6g.xlarge",
    "i3.large",
)
Found = TypeVar("Found")


def generated_samples(rows: int, *, gaps: bool, both: bool) -> ShardSamples:
    """Return seeded samples: a level per resource, a daily wave, noise and rare spikes."""
    random = np.random.default_rng(SEED)
    slots = DAYS * SLOTS_PER_DAY
    wave = np.sin(np.arange(slots) * (2 * np.pi / SLOTS_PER_DAY)).astype(np.float32)

    def series(level: float, highest: float) -> Matrix:
        levels = random.gamma(1.2, level, (rows, 1)).astype(np.float32)
        noise = random.random((rows, slots), np.float32)
        spikes = (random.random((rows, slots), np.float32) < 0.003) * np.float32(3)
        found: Matrix = np.minimum(levels * (1 + 0.5 * wave + noise + spikes), highest)
        if gaps:
            found[random.random((rows, slots), np.float32) < 0.01] = np.nan
        return found

    percent = [("CPUUtilization", 12.0), ("mem_used_percent", 25.0)]
    found = {MetricKey(m, Statistic.MAXIMUM): series(level, 100) for m, level in percent}
    if both:
        maxima = dict(found)
        for key, matrix in maxima.items():
            found[MetricKey(key.metric, Statistic.AVERAGE)] = matrix * np.float32(0.5)
    for metric in ("NetworkIn", "NetworkOut", "VolumeWriteOps"):
        found[MetricKey(metric, Statistic.SUM)] = series(3e6, np.inf)
    last = AS_OF.date() - timedelta(days=1)
    window = Window(last - timedelta(days=DAYS - 1), last)
    return ShardSamples(tuple(arn(row) for row in range(rows)), window, found)


def arn(row: int) -> str:
    """Return the ARN of a generated instance."""
    return f"arn:aws:ec2:us-east-1:111111111111:instance/i-{row:017x}"


def generated_fleet(rows: int) -> list[Resource]:
    """Return instances of the fleet's types in turn."""
    return [
        Resource(
            arn=arn(row),
            account_id="111111111111",
            region="us-east-1",
            resource_type=EC2_INSTANCE,
            resource_id=f"i-{row:017x}",
            instance_type=FLEET_TYPES[row % len(FLEET_TYPES)],
        )
        for row in range(rows)
    ]


@dataclass(frozen=True)
class Stages:
    """Seconds of every run, by stage."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def timed(self, name: str, stage: Callable[[], Found]) -> Found:
        """Run a stage three times and return its value."""
        for _ in range(3):
            start = time.perf_counter()
            found = stage()
            self.seconds.setdefault(name, []).append(time.perf_counter() - start)
        return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("resources", type=int, nargs="?", default=4_000)
    parser.add_argument("--gaps", action="store_true")
    parser.add_argument("--both", action="store_true")
    add_output(parser)
    given = parser.parse_args(arguments)
    rows: int = given.resources
    stages = Stages()
    timed = stages.timed
    fleet, types = generated_fleet(rows), load_instance_types()
    samples = generated_samples(rows, gaps=given.gaps, both=given.both)
    preferences = DEFAULT_PREFERENCES
    calibrated = structs.replace(preferences, profile=CALIBRATED)

    def partition_only() -> None:
        for matrix in samples.series.values():
            np.partition(matrix, matrix.shape[1] - 21, axis=1)

    timed("percentile only (numpy)", partition_only)
    chosen = timed("choose series", lambda: choose_series(samples, tuple(WIRE_NAMES)))
    analysis = analyze(fleet, samples, types, preferences)
    thresholds = analysis.fleet.thresholds
    timed("usage", lambda: measure(chosen, DIMENSIONS, thresholds))
    timed("match, score, rank", lambda: decide(analysis.fleet, analysis.market, DIMENSIONS))
    timed("analysis", lambda: analyze(fleet, samples, types, preferences))
    timed(
        "records",
        lambda: recommendations_of(fleet, analysis, as_of=AS_OF, preferences=preferences),
    )
    result = timed(
        "recommend, all of it",
        lambda: recommend(fleet, samples, types, as_of=AS_OF, preferences=preferences),
    )
    model = load_risk_prior()
    timed(
        "the same, by risk",
        lambda: analyze(fleet, samples, types, calibrated, model),
    )
    timed(
        "recommend, both answers",
        lambda: recommend(
            fleet, samples, types, as_of=AS_OF, preferences=calibrated, risk_model=model
        ),
    )
    options = sum(len(found.options) for found in result.recommendations)
    milliseconds = {name: [1e3 * one for one in took] for name, took in stages.seconds.items()}
    told = f"{len(result.recommendations):,}, with {options:,} options"
    notes = {"resources": f"{rows:,}", "recommendations": told}
    show(Report(measurements_of(milliseconds, "ms"), notes), given.output)


if __name__ == "__main__":
    main()
