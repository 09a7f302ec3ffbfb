"""Knobs from the past, oracles and scores on records small enough to count."""

from itertools import product

import numpy as np
import pytest

from compute_optimizer.backtest import choosing, scores
from compute_optimizer.backtest.choosing import KEEP_KNOB, Record, by_loss, folds_of, summed, within
from compute_optimizer.backtest.intervals import Resampled, resample, wilson
from compute_optimizer.backtest.options import capacity_steps
from compute_optimizer.backtest.oracle import oracle
from compute_optimizer.backtest.scores import Result
from compute_optimizer.backtest.trial import Trial, make_trial
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.model.metrics import SLOTS_PER_DAY
from tests.backtest.fleets import fleet_of, levels

STEPS = capacity_steps(load_instance_types())


def record(violated: list[list[int]], price: list[list[float]], fold: list[int]) -> Record:
    return Record(
        fold=np.array(fold),
        choice=np.zeros((len(price), len(fold)), np.int64),
        violated=np.array(violated, np.bool_),
        price=np.array(price),
        current_price=np.full(len(fold), 10.0),
    )


CHEAP_HURTS_FOLD_0 = record(
    # Two knobs over five resources, one per fold: the cheap knob hurts the one in fold 0.
    [[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
    [[2, 2, 2, 2, 2], [5, 5, 5, 5, 5]],
    [0, 1, 2, 3, 4],
)


def without_fold(past: Record, fold: int) -> Record:
    rows = past.fold != fold
    return Record(
        fold=past.fold[rows],
        choice=past.choice[:, rows],
        violated=past.violated[:, rows],
        price=past.price[:, rows],
        current_price=past.current_price[rows],
    )


@pytest.mark.parametrize(("fold", "knob"), [(0, 0), (1, 1)])
def test_the_cheapest_knob_within_the_budget_is_chosen(fold: int, knob: int) -> None:
    # Without fold 0 nobody is hurt; without fold 1 a quarter is.
    assert within(summed(without_fold(CHEAP_HURTS_FOLD_0, fold)), 0.05) == knob


def test_a_budget_that_allows_the_harm_takes_the_cheaper_knob() -> None:
    assert within(summed(CHEAP_HURTS_FOLD_0), 0.25) == 0


def test_nothing_within_the_budget_means_keep() -> None:
    assert within(summed(record([[1, 1]], [[2, 2]], [0, 1])), 0.5) == KEEP_KNOB


def test_loss_weighs_harm_against_cost() -> None:
    # The cheap knob costs 3 USD an hour less for five resources, and hurts one: in ten hours 150.
    assert by_loss(summed(CHEAP_HURTS_FOLD_0), 149, 10) == 0
    assert by_loss(summed(CHEAP_HURTS_FOLD_0), 151, 10) == 1


def test_loss_prefers_keeping_to_what_costs_more() -> None:
    dear = record([[1, 1]], [[9, 9]], [0, 1])

    assert by_loss(summed(dear), 1000, 1) == KEEP_KNOB


def test_folds_are_of_equal_size_and_repeat_with_their_seed() -> None:
    folds = folds_of(13, seed=4)

    assert np.bincount(folds).tolist() == [3, 3, 3, 2, 2]
    assert np.array_equal(folds, folds_of(13, seed=4))
    assert not np.array_equal(folds, folds_of(13, seed=5))


def machines(peaks: list[float], vcpus: list[float]) -> Trial:
    """Return quiet machines whose test windows hold an hour at the given peaks."""
    cpu = levels([0.1] * len(peaks), 28)
    cpu[:, 20 * SLOTS_PER_DAY : 20 * SLOTS_PER_DAY + 12] = np.array(peaks)[:, None]
    return make_trial(fleet_of(cpu, vcpus), STEPS, 14)


def names(places: np.ndarray) -> list[str]:
    return [STEPS.names[place] for place in places]


def test_oracle_without_violations_takes_the_cheapest_harmless_option() -> None:
    assert names(oracle(machines([0.9, 3.0, 0.2], [4, 8, 2]), 0)) == [
        "1 vCPU",
        "4 vCPU",
        "0.25 vCPU",
    ]


def test_oracle_spends_violations_where_they_save_most() -> None:
    trial = machines([0.9, 3.0, 0.2], [4, 8, 2])

    assert names(oracle(trial, 1)) == ["1 vCPU", "0.25 vCPU", "0.25 vCPU"]
    assert names(oracle(trial, 3)) == ["0.25 vCPU"] * 3


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("violations", range(5))
def test_no_choice_of_options_beats_the_oracle(seed: int, violations: int) -> None:
    draw = np.random.default_rng(seed)
    vcpus = draw.choice([1.0, 2.0, 4.0], 4)
    trial = machines((draw.uniform(0.1, 1, 4) * vcpus).tolist(), vcpus.tolist())
    rows, price = np.arange(4), trial.options.price

    found = price[oracle(trial, violations)].sum()

    # Every choice of four machines among the five smallest options, up to 4 vCPU.
    every = np.array(list(product(range(5), repeat=4)))
    smaller = (every <= trial.current).all(axis=1)
    within = trial.harm.excess[rows, every].sum(axis=1) <= violations
    assert found == pytest.approx(price[every[smaller & within]].sum(axis=1).min())


def test_keep_where_no_knob_was_within_the_budget() -> None:
    trial = machines([0.9, 3.0], [4, 8])
    some = record([[0, 0]], [[1, 1]], [0, 1])
    knobs = np.array([0, KEEP_KNOB, 0, 0, 0])

    assert names(choosing.deployed(some, knobs, trial)) == ["0.25 vCPU", "8 vCPU"]


def draws(rows: int) -> Resampled:
    return resample(np.arange(rows), seed=1)


def result(violated: list[int], price: list[float], best: list[float]) -> Result:
    rows = np.arange(len(violated))
    current = np.full(len(violated), 10.0)
    found, oracles = np.array(violated, np.bool_), np.array(best)
    return Result(rows, found, np.array(price), current, oracles, oracles - 0.5)


def test_headline_counts_violations_and_money() -> None:
    found = scores.headline(result([1, 0, 0, 0], [2, 4, 6, 8], [1, 2, 3, 4]), draws(4))

    assert found["violations"] == 0.25
    assert found["savings"] == pytest.approx(1 - 20 / 40)
    assert found["regret"] == pytest.approx((1 - 10 / 40) - 0.5)
    assert found["regret_at_realized"] == pytest.approx((1 - 8 / 40) - 0.5)
    low, high = found["savings_interval"]
    assert low < found["savings"] < high


def test_machines_at_several_origins_count_once_in_the_interval() -> None:
    twice = scores.joined([result([1, 0], [2, 2], [1, 1])] * 2)

    assert scores.headline(twice, draws(4))["violations_interval"] == list(wilson(1, 2))


def test_paired_differences_of_a_policy_with_itself_are_nothing() -> None:
    same = result([1, 0], [2, 4], [1, 1])

    found = scores.paired(same, same, draws(2))

    assert found["savings"] == 0
    assert found["savings_interval"] == [0, 0]
    assert found["violations_interval"] == [0, 0]


def test_paired_difference_is_ours_minus_the_other() -> None:
    found = scores.paired(result([1, 0], [2, 4], [0, 0]), result([0, 0], [5, 5], [0, 0]), draws(2))

    assert found["violations"] == 0.5
    assert found["savings"] == pytest.approx(0.7 - 0.5)


def test_allowed_violations_are_whole_resources() -> None:
    assert scores.allowed(0.05, 224) == 11  # 11.2
    assert scores.allowed(0.1, 30) == 3


def test_details_of_a_choice() -> None:
    trial = machines([0.9, 3.0], [4, 8])
    half = np.array([STEPS.names.index("0.5 vCPU")] * 2)

    found = scores.details(trial, half)

    # One hour at 0.9 and 3.0: 0.4 + 2.5 vCPU-hours unserved, of 2 x 335 x 0.1 + 3.9 demanded.
    assert found["unserved_vcpu_hours_per_million"] == pytest.approx(2.9 / 70.9 * 1e6, rel=1e-4)
    assert found["violations_bounds"] == [1, 1]
    # 12 samples are 0.3 % of the window.
    assert found["violations_lenient"] == 0
    assert found["median_savings"] == pytest.approx(((1 - 0.5 / 4) + (1 - 0.5 / 8)) / 2)
    # Both were reduced, both could have been without harm, and both were harmed.
    assert (found["downsizing_precision"], found["downsizing_recall"]) == (0, 1)


def test_regret_at_realized_gives_the_oracle_as_many_violations() -> None:
    trial = machines([0.9, 3.0], [4, 8])
    half = np.array([STEPS.names.index("0.5 vCPU")] * 2)

    found = scores.headline(scores.result_of(trial, half, 0.0), draws(2))

    # With two violations the oracle goes to 0.25 vCPU each; with none to 1 and 4 vCPU.
    assert found["regret_at_realized"] == pytest.approx(0.5 / 12)
    assert found["regret"] == pytest.approx(-4 / 12)


def test_harm_to_machines_that_are_clipped_later_is_uncertain() -> None:
    cpu = levels([0.1], 28)
    cpu[0, 20 * SLOTS_PER_DAY : 20 * SLOTS_PER_DAY + 30] = 4.0
    trial = make_trial(fleet_of(cpu, [4]), STEPS, 14)

    assert scores.details(trial, np.array([0]))["violations_bounds"] == [0, 1]


def test_idle_machines_are_those_that_never_use_5_percent() -> None:
    cpu = levels([0.04, 0.04, 0.04, 0.2], 28)
    cpu[1, 0] = 0.2  # at the threshold before the origin
    cpu[2, 20 * SLOTS_PER_DAY] = 0.2  # and after it
    trial = make_trial(fleet_of(cpu, [4] * 4), STEPS, 14)

    # Found: the first and the third; idle later: the first and the second.
    assert scores.idle(trial) == {"found": 2, "precision": 0.5, "recall": 0.5}


def test_upsizing_recall_counts_machines_that_stay_clipped() -> None:
    cpu = levels([0.5, 1.0, 1.0, 1.0], 28)
    cpu[3, 14 * SLOTS_PER_DAY :] = 0.2
    trial = make_trial(fleet_of(cpu, [1, 1, 1, 1]), STEPS, 14)
    two, one = STEPS.names.index("2 vCPU"), STEPS.names.index("1 vCPU")

    found = scores.upsizing(trial, np.array([two, one, two]))

    assert (found["clipped"], found["still_clipped"], found["upsized"]) == (3, 2, 2)
    assert found["recall"] == 0.5
