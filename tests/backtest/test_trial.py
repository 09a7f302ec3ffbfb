"""What the options would have done, counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from compute_optimizer.backtest.fleet import CPU, MEMORY, NETWORK
from compute_optimizer.backtest.options import Options, capacity_steps
from compute_optimizer.backtest.trial import Trial, exceedances, make_trial
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.model.metrics import SLOTS_PER_DAY
from tests.backtest.fleets import fleet_of, levels

STEPS = capacity_steps(load_instance_types())
ONE_VCPU, TWO_VCPU = STEPS.names.index("1 vCPU"), STEPS.names.index("2 vCPU")
FOUR_VCPU = STEPS.names.index("4 vCPU")
TEST_BEGINS = 14 * SLOTS_PER_DAY


def trial_with(samples: int, height: float, vcpus: float = 4) -> Trial:
    """Return 28 days at half a vCPU, with some samples of the test window at another height."""
    cpu = levels([0.5], 28)
    cpu[0, TEST_BEGINS : TEST_BEGINS + samples] = height
    return make_trial(fleet_of(cpu, [vcpus]), STEPS, 14)


def test_exceedances_count_samples_and_sum_what_lies_beyond() -> None:
    demand = np.array([[1, 3, np.nan, 2]], np.float32)

    above, beyond = exceedances(demand, np.array([0.5, 2.0, 3.0]))

    assert above.tolist() == [[3, 1, 0]]  # 2 does not exceed 2
    assert beyond.tolist() == [[0.5 + 2.5 + 1.5, 1.0, 0.0]]


def test_a_thousandth_of_the_intervals_is_forgiven() -> None:
    # 14 days are 4,032 samples; 0.1 % of them are 4.032.
    assert not trial_with(4, 1.5).harm.excess[0, ONE_VCPU]
    assert trial_with(5, 1.5).harm.excess[0, ONE_VCPU]
    assert not trial_with(5, 1.5).harm.excess[0, TWO_VCPU]


def test_the_lenient_event_forgives_five_times_as_much() -> None:
    # 0.5 % of 4,032 are 20.16.
    assert not trial_with(20, 1.5).harm.lenient[0, ONE_VCPU]
    assert trial_with(21, 1.5).harm.lenient[0, ONE_VCPU]


def test_what_the_current_option_would_have_had_is_no_excess() -> None:
    assert not trial_with(100, 4.5).harm.excess.any()


def test_unserved_demand_is_in_vcpu_hours_beyond_what_the_current_option_leaves() -> None:
    # 24 samples are two hours; half a vCPU more than the option for two hours.
    trial = trial_with(24, 1.5)

    assert trial.harm.unserved[0, ONE_VCPU] == pytest.approx(1.0)
    assert trial.harm.unserved[0, FOUR_VCPU] == 0


def test_one_sample_beyond_the_memory_is_a_violation() -> None:
    types = Options(("small", "large"), (CPU, MEMORY), np.array([[4, 1000], [4, 2000]]), np.ones(2))
    memory = levels([500], 28)
    memory[0, TEST_BEGINS] = 1500
    fleet = fleet_of(levels([0.5], 28), [4], memory, [2000])

    trial = make_trial(fleet, types, 14)

    assert trial.current.tolist() == [1]
    assert trial.harm.by_dimension[MEMORY].tolist() == [[True, False]]
    assert trial.harm.by_dimension[CPU].tolist() == [[False, False]]
    assert trial.harm.excess.tolist() == [[True, False]]


def test_current_is_the_cheapest_option_that_carries_what_is_provisioned() -> None:
    trial = make_trial(fleet_of(levels([0.1, 0.1], 28), [3, 4]), STEPS, 14)

    assert [STEPS.names[place] for place in trial.current] == ["4 vCPU", "4 vCPU"]
    assert trial.train.current.tolist() == [[4], [4]]


def test_machines_saturated_before_the_origin_are_clipped_and_later_ones_are_told_apart() -> None:
    cpu = levels([0.5, 0.5, 0.5], 28)
    cpu[0, :21] = 1.0  # 21 of 4,032 samples are more than 0.5 %
    cpu[1, :20] = 1.0
    cpu[2, TEST_BEGINS : TEST_BEGINS + 21] = 1.0

    trial = make_trial(fleet_of(cpu, [1, 1, 1]), STEPS, 14)

    assert trial.clipped.tolist() == [True, False, False]
    assert trial.clipped_later.tolist() == [False, False, True]
    assert trial.counted.tolist() == [1, 2]


def test_who_is_judged_is_decided_before_the_origin() -> None:
    cpu = levels([0.5, 0.5, 0.5], 28)
    cpu[0, TEST_BEGINS:] = np.nan  # gone in the test window
    cpu[1, : TEST_BEGINS - 359] = np.nan  # 359 samples are a minute short of 30 hours
    cpu[2, : TEST_BEGINS - 360] = np.nan

    trial = make_trial(fleet_of(cpu, [1, 1, 1]), STEPS, 14)

    assert trial.resources.tolist() == [0, 2]
    assert trial.unseen.tolist() == [True, False]
    assert not trial.harm.excess[0].any()


def test_machines_of_unknown_or_too_large_capacity_are_left_out() -> None:
    trial = make_trial(fleet_of(levels([0.5, 0.5, 0.5], 28), [np.nan, 97, 96]), STEPS, 14)

    assert trial.resources.tolist() == [2]


def test_training_sees_nothing_of_the_test_window() -> None:
    cpu = levels([0.5], 28)
    quiet = make_trial(fleet_of(cpu, [4]), STEPS, 14)
    busy = cpu.copy()
    busy[0, TEST_BEGINS:] = 3.0

    loud = make_trial(fleet_of(busy, [4]), STEPS, 14)

    assert np.array_equal(quiet.train.demand[CPU], loud.train.demand[CPU])
    assert quiet.train.demand[CPU].shape == (1, TEST_BEGINS)


def test_a_dimension_without_samples_is_never_violated() -> None:
    types = Options(("small", "large"), (CPU, NETWORK), np.array([[1, 1], [4, 9]]), np.ones(2))
    known = fleet_of(levels([0.5], 28), [4])
    fleet = replace(known, demand={**known.demand, NETWORK: levels([np.nan], 28)})

    trial = make_trial(fleet, types, 14)

    assert not trial.harm.by_dimension[NETWORK].any()
