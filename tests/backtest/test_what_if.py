"""Harm after the origin, and the points that nobody beats."""

import numpy as np
import pytest

from compute_optimizer.backtest.what_if import (
    Outcome,
    clipped,
    excess_harm,
    pareto,
    violated,
)
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.engine.arrays import Floats
from compute_optimizer.engine.dimensions import capacities
from compute_optimizer.engine.ranking import NONE
from compute_optimizer.engine.usage import Chosen, choose_series
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS
from tests.fleets import CPU, MEMORY, counter, instance, shard

TYPES = load_instance_types()
CAPACITY = capacities(DIMENSIONS, TYPES)
LARGE, XLARGE = TYPES.index["m5.large"], TYPES.index["m5.xlarge"]
METRICS = tuple(metric for dimension in DIMENSIONS for metric in dimension.metrics)
SLOTS = 10 * 288
NAN = float("nan")


def of_xlarges(rows: int) -> Floats:
    return np.tile(CAPACITY[XLARGE], (rows, 1))


def spikes(counts: list[int], usual: float, spike: float) -> np.ndarray:
    """Return a row for each count with so many spikes."""
    found = np.full((len(counts), SLOTS), float(usual))
    for row, count in enumerate(counts):
        found[row, :count] = spike
    return found


def chosen(rows: int, **series: np.ndarray) -> Chosen:
    keys = {"cpu": CPU, "memory": MEMORY, "network": counter("NetworkIn")}
    fleet = [instance(row, "m5.xlarge") for row in range(rows)]
    samples = shard(fleet, {keys[name]: values for name, values in series.items()}, days=10)
    return choose_series(samples, METRICS)


def test_one_interval_in_a_thousand_is_forgiven() -> None:
    # 60 % of a m5.xlarge are 2.4 vCPUs, m5.large has 2. 10 days have 2,880 intervals: 2.88.
    harm = excess_harm(
        chosen(3, cpu=spikes([0, 2, 3], 10, 60)), DIMENSIONS, of_xlarges(3), CAPACITY
    )

    assert harm[:, LARGE].tolist() == [False, False, True]
    assert not harm[:, XLARGE].any()


def test_missing_samples_are_no_intervals() -> None:
    cpu = spikes([2, 2], 10, 60)
    cpu[1, 1000:] = NAN  # Of 1,000 intervals one is forgiven.

    harm = excess_harm(chosen(2, cpu=cpu), DIMENSIONS, of_xlarges(2), CAPACITY)

    assert harm[:, LARGE].tolist() == [False, True]


def test_memory_may_never_be_short() -> None:
    # 60 % of 16 GiB do not fit into the 8 GiB of a m5.large.
    harm = excess_harm(
        chosen(2, cpu=spikes([0, 0], 10, 10), memory=spikes([0, 1], 20, 60)),
        DIMENSIONS,
        of_xlarges(2),
        CAPACITY,
    )

    assert harm[:, LARGE].tolist() == [False, True]


def test_what_exceeds_the_present_type_too_is_no_excess() -> None:
    # m5.xlarge carries 1.25 Gbit/s: 46.875 GB in five minutes; m5.large .75 Gbit/s, 28.125 GB.
    harm = excess_harm(
        chosen(2, cpu=spikes([0, 0], 10, 10), network=spikes([9, 9], 1e9, 40e9)),
        DIMENSIONS,
        of_xlarges(2),
        CAPACITY,
    )
    beyond = excess_harm(
        chosen(2, cpu=spikes([0, 0], 10, 10), network=spikes([9, 9], 1e9, 50e9)),
        DIMENSIONS,
        of_xlarges(2),
        CAPACITY,
    )

    assert harm[:, LARGE].all()
    assert not beyond.any()


def test_a_stated_capacity_counts_instead_of_the_type() -> None:
    # 60 % of 2 stated vCPUs are 1.2: a m5.large carries them.
    own = of_xlarges(1)
    own[0, 0] = 2

    harm = excess_harm(chosen(1, cpu=spikes([9], 10, 60)), DIMENSIONS, own, CAPACITY)

    assert not harm[:, LARGE].any()


@pytest.mark.parametrize(("count", "expected"), [(14, False), (15, True)])
def test_clipped_is_more_than_half_a_percent_at_the_ceiling(count: int, expected: bool) -> None:
    # 0.5 % of 2,880 are 14.4.
    assert clipped(chosen(1, cpu=spikes([count], 10, 99))).tolist() == [expected]


def test_without_cpu_samples_nothing_is_clipped() -> None:
    assert clipped(chosen(1, memory=spikes([0], 20, 20))).tolist() == [False]


def test_only_who_moves_is_hurt() -> None:
    harm = np.array([[True, False], [True, False], [True, True], [True, True]])

    hurt = violated(harm, np.array([0, 1, NONE, 1]), np.array([1, 0, 0, 1]))

    assert hurt.tolist() == [True, False, False, False]


def test_pareto_points_are_those_that_no_other_beats() -> None:
    outcomes = [
        Outcome(10, 0.2),  # cheapest
        Outcome(12, 0.1),
        Outcome(12, 0.1),  # as good as the one before: neither beats the other
        Outcome(12, 0.2),  # as hurtful as the first, and dearer
        Outcome(13, 0.1),  # no less hurtful than the second, and dearer
        Outcome(20, 0.0),  # least hurtful
    ]

    assert pareto(outcomes) == [True, True, True, False, False, True]
