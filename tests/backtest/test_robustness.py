"""Worse data and the next days, on loads where the answer is plain."""

from typing import Any

import numpy as np
import pytest

from compute_optimizer.backtest import peers
from compute_optimizer.backtest.advice import DEFAULT_POLICY
from compute_optimizer.backtest.deployment import deploy
from compute_optimizer.backtest.fleet import CPU
from compute_optimizer.backtest.options import capacity_steps
from compute_optimizer.backtest.origin import NOBODY, Origin
from compute_optimizer.backtest.past import trials_of
from compute_optimizer.backtest.policies import fixed
from compute_optimizer.backtest.robustness import stability
from compute_optimizer.backtest.run import Settings, origins_with_past
from compute_optimizer.backtest.studies import lookback_study, robustness_study
from compute_optimizer.backtest.trial import Train, Trial, make_trial
from compute_optimizer.backtest.worse_data import PERTURBATIONS
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.engine.arrays import Singles
from compute_optimizer.model.metrics import SLOTS_PER_DAY
from tests.backtest.fleets import fleet_of, levels, random_fleet

TYPES = load_instance_types()
STEPS = capacity_steps(TYPES)


def without_past(trial: Trial, resources: int) -> Origin:
    nobody = np.full(resources, NOBODY)
    return Origin(trial, (), np.zeros(resources, np.int64), nobody, nobody)


def perturbed(name: str) -> Singles:
    """Return what becomes of fourteen days that rise from 0 to 1 within every hour, of 2 vCPU."""
    hour = np.linspace(0, 1, 12, dtype=np.float32)
    train = Train({CPU: np.tile(hour, (1, 14 * 24))}, np.array([[2.0]]))
    return PERTURBATIONS[name](train, [np.random.default_rng(1)]).demand[CPU]


@pytest.mark.parametrize(("name", "share"), [("10 %", 0.1), ("30 %", 0.3)])
def test_samples_are_dropped_at_random(name: str, share: float) -> None:
    missing = np.isnan(perturbed(f"{name} of samples dropped"))

    # 4,032 draws: five standard deviations are 3.6 points at most.
    assert missing.mean() == pytest.approx(share, abs=0.036)


def test_every_day_has_one_gap_of_six_hours() -> None:
    missing = np.isnan(perturbed("6-hour gap every day")).reshape(14, SLOTS_PER_DAY)

    assert (missing.sum(axis=1) == 72).all()
    assert (np.abs(np.diff(missing.astype(int), axis=1)).sum(axis=1) <= 2).all()


def test_hourly_means_flatten_every_hour() -> None:
    assert perturbed("hourly means") == pytest.approx(0.5)


def test_the_spike_triples_one_day_up_to_the_capacity() -> None:
    days = perturbed("one-day spike").reshape(14, SLOTS_PER_DAY).max(axis=1)

    assert sorted(days)[-2:] == [1, 2]


def test_a_load_that_steps_once_flips_once_and_does_not_return() -> None:
    cpu = levels([0.1, 0.1], 40)
    cpu[0, 20 * SLOTS_PER_DAY :] = 0.9
    fleet = fleet_of(cpu, [4, 4])
    trials = [make_trial(fleet, STEPS, day) for day in range(18, 26)]
    policy = fixed("maximum", peers.maximum)

    found = stability(policy, without_past(trials[0], 2), np.zeros(5, np.int64), trials)

    # Two resources x seven nights, one change.
    assert found == {"flips": pytest.approx(1 / 14), "returns": 0}


def test_a_peak_that_passes_through_a_short_memory_returns() -> None:
    cpu = levels([0.1], 40)
    cpu[0, 20 * SLOTS_PER_DAY : 21 * SLOTS_PER_DAY] = 0.9
    fleet = fleet_of(cpu, [4])
    trials = [make_trial(fleet, STEPS, day, train_days=2) for day in range(19, 25)]
    one_day = fixed("one day", lambda train: peers.maximum(train.last_days(1)))

    found = stability(one_day, without_past(trials[0], 1), np.zeros(5, np.int64), trials)

    # Six mornings: quiet, quiet, peak, quiet, quiet, quiet. Five nights, four triples.
    assert found == {"flips": pytest.approx(2 / 5), "returns": pytest.approx(1 / 4)}


def test_the_study_covers_every_origin_policy_and_perturbation() -> None:
    fleet = random_fleet(20, 46, seed=3)

    found: list[dict[str, Any]] = robustness_study(trials_of(fleet, STEPS), Settings((CPU,)))

    assert len(found) == 2
    for origin in found:
        for policy in origin["policies"].values():
            assert set(policy["worse_data"]) == set(PERTURBATIONS)
            assert 0 <= policy["day_to_day"]["flips"] <= 1


def test_a_memory_as_long_as_the_usual_one_scores_the_same() -> None:
    fleet = random_fleet(20, 46, seed=3)
    settings = Settings((CPU,))

    found = lookback_study(trials_of(fleet, STEPS), settings, (7, 14))

    (first, _) = origins_with_past(fleet, STEPS, settings)
    usual = deploy(DEFAULT_POLICY, first, (0.05,)).results[0.05]
    ours = found["14"][0]["policies"]["default"]["deployed"]["0.05"]
    assert ours["violations"] == usual.violated.mean()
    assert found["7"][0]["days_known"] == 7
