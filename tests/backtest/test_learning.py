"""What the past teaches: least loss, caps and selection, on loads that can be counted."""

import numpy as np
import pytest

from compute_optimizer.backtest.ablation import LEARNERS, ablation_study
from compute_optimizer.backtest.advice import CAPS, DEFAULT_POLICY, within_caps
from compute_optimizer.backtest.fleet import CPU, MEMORY
from compute_optimizer.backtest.learning import (
    ENGINE,
    HORIZON_HOURS,
    INCIDENT_USD,
    Knowledge,
    Tried,
    cheapest_within,
    least_loss,
    misled,
    risks,
)
from compute_optimizer.backtest.options import capacity_steps
from compute_optimizer.backtest.origin import FOLDS, Origin
from compute_optimizer.backtest.past import trials_of
from compute_optimizer.backtest.run import Settings, options_for, origins_with_past
from compute_optimizer.backtest.trial import make_trial
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.engine.arrays import Floats
from tests.backtest.fleets import fleet_of, levels, random_fleet

TYPES = load_instance_types()
STEPS = capacity_steps(TYPES)
FLEET = random_fleet(40, 46, seed=11)


def last_origin(dimensions: tuple[str, ...] = (CPU,)) -> Origin:
    options = options_for(TYPES, dimensions)
    return origins_with_past(FLEET, options, Settings(dimensions))[-1]


ORIGIN = last_origin()
TRIAL = make_trial(fleet_of(levels([0.5], 28), [4]), STEPS, 14)
"""One machine of 4 vCPU; smaller steps are 0.25, 0.5, 1 and 2 vCPU."""


def risk_of(*figures: float) -> Floats:
    found: Floats = np.zeros((1, len(STEPS.price)))
    found[0, : len(figures)] = figures
    return found


def test_least_loss_weighs_what_a_violation_costs() -> None:
    # From 1 to 0.5 vCPU saves half a vCPU for 336 hours, about 8 USD, and adds 10 % of risk.
    saved = (STEPS.price[2] - STEPS.price[1]) * HORIZON_HOURS
    risk = risk_of(0.9, 0.1)

    assert least_loss(TRIAL, risk, [saved / 0.1 - 1]).tolist() == [[1]]
    assert least_loss(TRIAL, risk, [saved / 0.1 + 1]).tolist() == [[2]]


def test_what_is_all_but_sure_to_be_violated_is_never_advised() -> None:
    # 0.25 vCPU is sure to be violated and costs least; a violation costs nothing.
    assert least_loss(TRIAL, risk_of(0.81, 0.79), [0.0]).tolist() == [[1]]
    assert least_loss(TRIAL, risk_of(0.79, 0.79), [0.0]).tolist() == [[0]]


def test_nothing_larger_than_today_is_advised() -> None:
    assert least_loss(TRIAL, risk_of(1, 1, 1, 1), [1e6]).tolist() == [[4]]
    assert cheapest_within(TRIAL, risk_of(1, 1, 1, 1), 0.5).tolist() == [4]


def test_a_cap_holds_for_the_very_machine() -> None:
    risk = risk_of(0.9, 0.2, 0.05, 0.01)

    assert [cheapest_within(TRIAL, risk, cap)[0] for cap in (0.01, 0.05, 0.1, 0.2)] == [3, 2, 2, 1]


def test_no_option_within_a_cap_has_a_higher_risk() -> None:
    knowledge = Knowledge(ENGINE, ORIGIN)
    rows = ORIGIN.trial.counted
    fold = ORIGIN.folds[ORIGIN.trial.resources[rows]]
    for cap, chosen in within_caps(ORIGIN).items():
        for one in range(FOLDS):
            mine = fold == one
            risk = knowledge.risk(ORIGIN.trial, one)[rows[mine], chosen[mine]]
            assert (risk <= cap).all()
    assert list(within_caps(ORIGIN)) == list(CAPS)


@pytest.mark.parametrize("dimensions", [(CPU,), (CPU, MEMORY)])
def test_risk_never_rises_with_capacity(dimensions: tuple[str, ...]) -> None:
    origin = last_origin(dimensions)
    options = origin.trial.options
    for place, (_, risk) in enumerate(
        risks(ENGINE, Knowledge(ENGINE, origin).models(0), origin.trial).items()
    ):
        order = np.argsort(options.capacity[:, place], kind="stable")
        assert (np.diff(risk[:, order], axis=1) <= 1e-12).all()


def test_unknown_memory_is_never_reduced() -> None:
    cpu = np.tile(FLEET.demand[CPU][:, : 46 * 288], (1, 1))
    memory = FLEET.demand[MEMORY].copy()
    memory[0] = np.nan
    fleet = fleet_of(
        cpu, FLEET.provisioned[CPU][:, 0].tolist(), memory, FLEET.provisioned[MEMORY][:, 0].tolist()
    )
    dimensions = (CPU, MEMORY)
    origin = origins_with_past(fleet, options_for(TYPES, dimensions), Settings(dimensions))[-1]

    choices = DEFAULT_POLICY.choices(origin, origin.trial, 0, None)[:, 0]

    asked = origin.trial.train.current[0, 1]
    assert (origin.trial.options.capacity[choices, 1] >= asked).all()


def test_choosing_misleads_by_the_odds_between_seen_and_expected() -> None:
    places: Floats = np.zeros(len(INCIDENT_USD))
    # Every setting keeps to every budget; the first costs least: 10 seen where 4 were expected.
    past = Tried(places + 4, places + 10, np.arange(1.0, len(INCIDENT_USD) + 1), 1_000)

    # Four budgets, each with 2 violations of doubt: (40 + 8) / (16 + 8).
    assert misled(past) == pytest.approx(np.log(2))


def test_where_nothing_kept_to_a_budget_choosing_is_not_judged() -> None:
    places: Floats = np.zeros(len(INCIDENT_USD))

    assert misled(Tried(places + 4, places + 500, places + 1, 1_000)) == 0.0


def test_clipped_machines_follow_the_published_rule() -> None:
    cpu = FLEET.demand[CPU].copy()
    cpu[0] = FLEET.provisioned[CPU][0, 0]
    fleet = fleet_of(cpu, FLEET.provisioned[CPU][:, 0].tolist())
    origin = origins_with_past(fleet, STEPS, Settings((CPU,)))[-1]

    choices = DEFAULT_POLICY.choices(origin, origin.trial, 0, None)[:, 0]

    # All of its CPU at 80 % asks for a quarter more, whatever a violation costs.
    assert origin.trial.clipped[0]
    assert len(set(choices.tolist())) == 1
    assert STEPS.capacity[choices[0], 0] >= 1.25 * FLEET.provisioned[CPU][0, 0]


def test_the_study_of_features_scores_every_description_at_every_origin() -> None:
    found = ablation_study(trials_of(random_fleet(20, 46, seed=3), STEPS), Settings((CPU,)))

    assert [one["features"] for one in found] == [learner.name for learner in LEARNERS]
    assert {len(one["origins"]) for one in found} == {2}
    engine = next(one for one in found if one["features"] == ENGINE.name)
    assert all(0 <= origin["violations"] <= 1 for origin in engine["origins"])
