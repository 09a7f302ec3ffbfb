"""One resource as many rows: each row is decided as if its samples had really been other ones."""

import numpy as np
import pytest

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.engine.recommender import Decisions, decide
from compute_optimizer.engine.repetition import repeated, with_capacity, with_demand
from compute_optimizer.engine.risk import current_scores
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.resources.ec2.analysis import Ec2Analysis, analyze
from compute_optimizer.resources.ec2.dimensions import DIMENSIONS, MEMORY_PLACE
from tests.fleets import CPU, CPU_AVERAGE, MEMORY, instance, shard

LARGE = instance(1, "m5.large")
SLOTS = 14 * 288


def analysis_of(factor: float = 1.0, memory: float = 30.0) -> Ec2Analysis:
    """Return the analysis of a CPU with peaks whose credits last on some burstable types only."""
    peaks = np.where(np.arange(SLOTS) % 12 == 0, 40.0, 5.0) * factor
    samples = shard([LARGE], {CPU: peaks, CPU_AVERAGE: peaks / 2, MEMORY: memory})
    return analyze([LARGE], samples, load_instance_types(), DEFAULT_PREFERENCES)


def decided(decisions: Decisions, row: int) -> tuple[object, ...]:
    options = decisions.options
    return (
        options.types[row].tolist(),
        decisions.over[row].tolist(),
        decisions.under[row].tolist(),
        np.nan_to_num(decisions.current_risk[row], nan=-1).tolist(),
    )


def test_equal_rows_are_decided_alike() -> None:
    analysis = analysis_of()

    found = decide(repeated(analysis.fleet, 3), analysis.market, DIMENSIONS)

    assert {str(decided(found, row)) for row in range(3)} == {str(decided(analysis.decisions, 0))}


def test_another_demand_is_decided_like_samples_that_are_as_much_larger() -> None:
    analysis, factors = analysis_of(), np.array([0.25, 0.5, 1.5, 2.0, 2.4])
    places = np.zeros(len(factors), dtype=np.int64)
    demands = factors * analysis.fleet.demand.used[0, 0]

    fleet = with_demand(analysis.fleet, places, demands)
    found = decide(fleet, analysis.market, DIMENSIONS)

    answers = set()
    for row, factor in enumerate(factors.tolist()):
        real = analysis_of(factor)
        assert decided(found, row) == decided(real.decisions, 0)
        answers.add(str(decided(found, row)))
    assert len(answers) >= 3


def test_the_samples_and_the_fleet_are_left_as_they_were() -> None:
    analysis = analysis_of()
    before = analysis.fleet.demand.used.copy()

    with_demand(analysis.fleet, np.array([0, MEMORY_PLACE]), np.array([1.0, 99.0]))

    np.testing.assert_array_equal(analysis.fleet.demand.used, before)


def test_a_demand_that_was_unknown_can_be_set() -> None:
    analysis = analysis_of(memory=float("nan"))

    fleet = with_demand(analysis.fleet, np.array([MEMORY_PLACE]), np.array([4_096.0]))

    # 20 % headroom.
    assert fleet.demand.required[0, MEMORY_PLACE] == pytest.approx(5_120)


def test_risk_on_other_machines_follows_their_capacity() -> None:
    analysis = analysis_of()  # 2 vCPUs; 40 % of them every hour are 0.8
    capacity = np.repeat(analysis.fleet.demand.capacity, 3, axis=0)
    capacity[:, 0] = (2.0, 0.9, 0.5)

    risks = current_scores(with_capacity(analysis.fleet, capacity), DIMENSIONS)[:, 0]

    # Enough; inside the headroom in 1 of 12 slots; short in as many, which is above 5 %.
    assert risks.tolist() == [0.0, 1.0, 4.0]
