"""The whole backtest on generated fleets: what must hold whatever the load is."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from compute_optimizer.backtest.advice import DEFAULT_POLICY
from compute_optimizer.backtest.deployment import ORACLE, deploy
from compute_optimizer.backtest.fleet import CPU, MEMORY, TraceFleet
from compute_optimizer.backtest.learning import ENGINE, Knowledge
from compute_optimizer.backtest.origin import FOLDS
from compute_optimizer.backtest.past import origins_of, past_windows
from compute_optimizer.backtest.policies import POLICIES, SWEEP
from compute_optimizer.backtest.run import (
    BUDGETS,
    Settings,
    options_for,
    origins_with_past,
    run,
)
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.metrics import SLOTS_PER_DAY
from tests.backtest.fleets import fleet_of, levels, random_fleet

TYPES = load_instance_types()
DIMENSIONS = [(CPU,), (CPU, MEMORY)]
FLEET = random_fleet(40, 46, seed=11)


@cache
def scored(dimensions: tuple[str, ...]) -> dict[str, Any]:
    return run(FLEET, TYPES, Settings(dimensions))


def test_two_runs_are_equal_byte_for_byte() -> None:
    again = run(random_fleet(40, 46, seed=11), TYPES, Settings((CPU,)))

    assert json.dumps(again) == json.dumps(scored((CPU,)))


@pytest.mark.parametrize("dimensions", DIMENSIONS)
def test_keep_never_does_excess_harm_and_saves_nothing(dimensions: tuple[str, ...]) -> None:
    for origin in scored(dimensions)["origins"]:
        for score in origin["policies"]["keep"]["deployed"].values():
            assert (score["violations"], score["savings"]) == (0, 0)


@pytest.mark.parametrize("dimensions", DIMENSIONS)
def test_no_policy_beats_the_oracle_that_spends_as_many_violations(
    dimensions: tuple[str, ...],
) -> None:
    for origin in scored(dimensions)["origins"]:
        for name, policy in origin["policies"].items():
            for score in policy["deployed"].values():
                assert score["regret_at_realized"] >= -1e-12, name


@pytest.mark.parametrize("dimensions", DIMENSIONS)
def test_oracle_stays_within_each_budget(dimensions: tuple[str, ...]) -> None:
    for origin in scored(dimensions)["origins"]:
        for budget, score in origin["policies"][ORACLE]["deployed"].items():
            assert score["violations"] <= float(budget)


@pytest.mark.parametrize("dimensions", DIMENSIONS)
def test_no_policy_costs_less_than_the_least_expected_loss(dimensions: tuple[str, ...]) -> None:
    for origin in scored(dimensions)["origins"]:
        least = origin["policies"][ORACLE]["expected_loss"]
        for name, policy in origin["policies"].items():
            for usd, loss in policy["expected_loss"].items():
                assert loss["usd"] >= least[usd]["usd"] - 1e-9, name


def test_more_margin_never_violates_more_and_never_saves_more() -> None:
    (origin, *_) = origins_with_past(FLEET, options_for(TYPES, (CPU,)), Settings((CPU,)))
    trial, rows = origin.trial, origin.trial.counted
    for policy in POLICIES:
        by_base: dict[str, list[int]] = {}
        for place, label in enumerate(policy.labels):
            if " x " in label or label.startswith("x "):
                by_base.setdefault(label.rpartition("x ")[0], []).append(place)
        choice = policy.choices(origin, trial, 0, None)[:, rows]
        for places in by_base.values():
            assert (np.diff(trial.options.price[choice[places]], axis=0) >= 0).all()
            harm = trial.harm.excess[rows, choice[places]]
            assert (np.diff(harm.astype(int), axis=0) <= 0).all()


def after(fleet: TraceFleet, day: int) -> TraceFleet:
    """Return the fleet with another load from a day on."""
    changed = {name: matrix.copy() for name, matrix in fleet.demand.items()}
    for matrix in changed.values():
        matrix[:, day * SLOTS_PER_DAY :] *= np.float32(1.7)
    return replace(fleet, demand=changed, saturated=fleet.saturated.copy())


@pytest.mark.parametrize("dimensions", DIMENSIONS)
def test_nothing_from_the_origin_on_changes_a_recommendation(dimensions: tuple[str, ...]) -> None:
    options, settings = options_for(TYPES, dimensions), Settings(dimensions)
    (before,) = [o for o in origins_with_past(FLEET, options, settings) if o.trial.origin == 32]
    (changed,) = [
        o for o in origins_with_past(after(FLEET, 32), options, settings) if o.trial.origin == 32
    ]
    assert not np.array_equal(before.trial.harm.excess, changed.trial.harm.excess)

    for policy in (DEFAULT_POLICY, *POLICIES):
        one, other = (deploy(policy, origin, BUDGETS) for origin in (before, changed))
        for budget in BUDGETS:
            assert np.array_equal(one.knobs[budget], other.knobs[budget])
            assert np.array_equal(one.chosen[budget], other.chosen[budget])


def test_nothing_that_a_resource_did_in_the_test_windows_of_the_past_is_used_for_its_fold() -> None:
    options, settings = options_for(TYPES, (CPU,)), Settings((CPU,))
    loud = {CPU: FLEET.demand[CPU].copy()}
    origin = origins_with_past(FLEET, options, settings)[-1]
    fold = origin.folds[0]
    # From the first past window on, resource 0 is another one; up to there it is the same.
    loud[CPU][0, 20 * SLOTS_PER_DAY : 32 * SLOTS_PER_DAY] *= np.float32(3)
    changed = origins_with_past(replace(FLEET, demand=loud), options, settings)[-1]
    policies = [DEFAULT_POLICY, *(policy for policy in POLICIES if policy.name == SWEEP)]

    for policy in policies:
        one, other = (deploy(policy, each, BUDGETS) for each in (origin, changed))
        for budget in BUDGETS:
            assert one.knobs[budget][fold] == other.knobs[budget][fold]
    same, turned = (Knowledge(ENGINE, each) for each in (origin, changed))
    assert same.models(fold) == turned.models(fold)
    assert any(same.models(other) != turned.models(other) for other in range(FOLDS))


def test_knobs_can_come_from_another_fleet() -> None:
    elsewhere = random_fleet(30, 30, seed=5)

    report = run(FLEET, TYPES, Settings((CPU,)), fit_on=elsewhere)
    turned = run(after(FLEET, 18), TYPES, Settings((CPU,), origins=(32,)), fit_on=elsewhere)

    assert report["fleet"]["knobs_from"] == "tiny"
    sweep = [o["policies"][SWEEP]["deployed"]["0.05"]["knobs"] for o in report["origins"]]
    # All folds of all origins get the same knob, whatever the fleet itself did.
    assert len({knob for knobs in sweep for knob in knobs}) == 1
    assert turned["origins"][0]["policies"][SWEEP]["deployed"]["0.05"]["knobs"] == sweep[0]


def test_report_has_the_shape_that_programs_read() -> None:
    report = scored((CPU, MEMORY))
    (first, *_) = report["origins"]

    default = first["policies"]["default"]["deployed"]["0.05"]
    assert {"violations", "savings", "regret"} <= default.keys()
    assert set(first["calibration"]) == {CPU, MEMORY, "joint"}
    for found in first["calibration"].values():
        wanted = {"observed", "expected", "next_observed", "next_expected"}
        assert wanted <= found.keys()


def test_past_windows_end_before_the_origin() -> None:
    assert past_windows(31) == [(17, 14, 14)]
    assert [origin for origin, _, _ in past_windows(46)] == [32, 25, 18]
    assert all(origin + test <= 75 for origin, _, test in past_windows(75))


def test_a_short_past_is_halved() -> None:
    assert past_windows(14) == [(7, 7, 7)]


def test_origins_of_a_fleet_without_a_protocol_end_with_its_last_day() -> None:
    assert origins_of(FLEET.facts) == (18, 32)


def test_too_short_a_fleet_is_refused() -> None:
    with pytest.raises(InvalidInput, match="27 days of samples"):
        run(fleet_of(levels([0.5], 27), [1]), TYPES, Settings((CPU,)))


def test_a_fleet_that_nobody_can_judge_is_refused() -> None:
    unseen = fleet_of(levels([np.nan], 28), [1])

    with pytest.raises(InvalidInput, match="nothing of tiny can be judged on 2026-01-15"):
        run(unseen, TYPES, Settings((CPU,)))


@pytest.mark.parametrize("dimensions", DIMENSIONS)
def test_a_fleet_at_its_ceiling_has_no_headline_but_a_report(dimensions: tuple[str, ...]) -> None:
    fleet = random_fleet(6, 30, seed=1)
    clipped = replace(fleet, saturated=np.ones_like(fleet.saturated))

    (origin,) = run(clipped, TYPES, Settings(dimensions))["origins"]

    assert (origin["clipped"], origin["scored"]) == (6, 0)
    assert origin["policies"]["default"]["deployed"]["0.05"]["savings_interval"] is None


def test_a_single_machine_is_scored() -> None:
    (origin,) = run(random_fleet(1, 30, seed=1), TYPES, Settings((CPU,)))["origins"]

    assert origin["scored"] == 1


def test_a_dimension_that_the_fleet_lacks_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no dimension 'gpu'"):
        run(FLEET, TYPES, Settings((CPU, "gpu")))


def test_a_machine_at_its_ceiling_is_to_be_enlarged() -> None:
    cpu = FLEET.demand[CPU].copy()
    cpu[0] = FLEET.provisioned[CPU][0, 0]
    ceiling = FLEET.saturated.copy()
    ceiling[0] = True
    fleet = replace(FLEET, demand={CPU: cpu}, saturated=ceiling)

    (origin,) = run(fleet, TYPES, Settings((CPU,), origins=(32,)))["origins"]

    ours, kept = (
        origin["policies"][name]["deployed"]["0.05"]["upsizing"] for name in ("default", "keep")
    )
    assert origin["clipped"] == 1
    assert (ours["still_clipped"], ours["upsized"], ours["recall"]) == (1, 1, 1)
    assert (kept["still_clipped"], kept["upsized"], kept["recall"]) == (1, 0, 0)
