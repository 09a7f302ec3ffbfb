"""One policy at one origin: its knobs from the past, what it recommends, and its scores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from compute_optimizer.backtest import choosing, scores
from compute_optimizer.backtest.intervals import Resampled
from compute_optimizer.backtest.oracle import oracle
from compute_optimizer.backtest.origin import FOLDS, Origin
from compute_optimizer.backtest.policies import Policy
from compute_optimizer.backtest.trial import TEST_DAYS, Trial
from compute_optimizer.engine.arrays import Floats, Integers

TEST_HOURS = TEST_DAYS * 24

ORACLE = "oracle"


@dataclass(frozen=True, slots=True, eq=False)
class Deployment:
    """What one policy recommends to the unclipped resources of an origin."""

    record: choosing.Record | None
    """What every setting does at the origin; None of the oracle, which has none."""
    knobs: Mapping[float, Integers]
    """By budget, the knob of each fold."""
    chosen: Mapping[float, Integers]
    """By budget, the option of each resource."""
    results: Mapping[float, scores.Result]


def key_of(number: float) -> str:
    """Return a budget or a price as the reports spell it, such as 0.05."""
    return f"{number:g}"


def deploy(policy: Policy, origin: Origin, budgets: tuple[float, ...]) -> Deployment:
    """Return what a policy recommends for each budget, its knobs chosen on the past only."""
    record = choosing.record_of(policy, origin, origin.trial)
    knobs = {
        budget: _knobs(policy, origin, partial(choosing.within, budget=budget))
        for budget in budgets
    }
    chosen = {b: choosing.deployed(record, knob, origin.trial) for b, knob in knobs.items()}
    results = {b: scores.result_of(origin.trial, option, b) for b, option in chosen.items()}
    return Deployment(record, knobs, chosen, results)


def deploy_oracle(trial: Trial, budgets: tuple[float, ...]) -> Deployment:
    """Return what the oracle recommends for each budget."""
    count = len(trial.counted)
    chosen = {b: oracle(trial, scores.allowed(b, count)) for b in budgets}
    results = {b: scores.result_of(trial, option, b) for b, option in chosen.items()}
    return Deployment(None, {}, chosen, results)


def _knobs(policy: Policy, origin: Origin, choose: Callable[[choosing.Sums], int]) -> Integers:
    """Return the setting of each fold, chosen on what the fold may know of the past."""
    if not policy.adjustable:
        return np.zeros(FOLDS, np.int64)
    return np.array([choose(choosing.past_of(policy, origin, fold)) for fold in range(FOLDS)])


def report_of(
    policy: Policy,
    deployment: Deployment,
    origin: Origin,
    draws: Resampled,
    incident_usd: tuple[float, ...],
) -> dict[str, Any]:
    """Return every score of a policy at an origin."""
    trial, record = origin.trial, deployment.record
    assert record is not None, f"{policy.name} was deployed without a record"
    return {
        "deployed": {
            key_of(budget): {
                **scores.headline(result, draws),
                **scores.details(trial, deployment.chosen[budget]),
                "upsizing": _upsizing(policy, origin, deployment.knobs[budget]),
                "knobs": _labels(policy, deployment.knobs[budget]),
            }
            for budget, result in deployment.results.items()
        },
        "as_shipped": _as_shipped(policy, trial, record),
        "hindsight": {key_of(b): _hindsight(policy, record, b) for b in deployment.results},
        "front": _front(policy, record),
        "expected_loss": {
            key_of(usd): _expected_loss(policy, origin, record, usd) for usd in incident_usd
        },
    }


def oracle_report(
    deployment: Deployment, trial: Trial, draws: Resampled, incident_usd: tuple[float, ...]
) -> dict[str, Any]:
    """Return the scores of the oracle, at zero violations and at every budget."""
    harmless = scores.result_of(trial, oracle(trial, 0), 0.0)
    return {
        "deployed": {
            key_of(budget): {
                **scores.headline(result, draws),
                **scores.details(trial, deployment.chosen[budget]),
            }
            for budget, result in deployment.results.items()
        },
        "at_zero": scores.headline(harmless, draws),
        "expected_loss": {key_of(usd): _least_loss(trial, usd) for usd in incident_usd},
    }


def _labels(policy: Policy, knobs: Integers) -> list[str]:
    """Return the setting that each fold was given."""
    return [_label(policy, knob) for knob in knobs.tolist()]


def _label(policy: Policy, knob: int) -> str:
    return "keep" if knob == choosing.KEEP_KNOB else policy.labels[knob]


def _as_shipped(policy: Policy, trial: Trial, record: choosing.Record) -> dict[str, Any]:
    """Return the outcome of the owner's own setting, capped at today's size and uncapped."""
    counted = trial.counted
    free = policy.uncapped(trial)[counted]
    return {
        **_outcome(record, policy.shipped),
        "uncapped": {
            "violations": _mean(trial.harm.excess[counted, free]),
            "savings": scores.savings(trial.options.price[free], record.current_price),
        },
    }


def _outcome(record: choosing.Record, knob: int) -> dict[str, float]:
    if knob == choosing.KEEP_KNOB:
        return {"violations": 0.0, "savings": 0.0}
    return {
        "violations": _mean(record.violated[knob]),
        "savings": scores.savings(record.price[knob], record.current_price),
    }


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _hindsight(policy: Policy, record: choosing.Record, budget: float) -> dict[str, Any]:
    knob = choosing.within(choosing.summed(record), budget)
    return {**_outcome(record, knob), "knob": _label(policy, knob)}


def _front(policy: Policy, record: choosing.Record) -> list[dict[str, Any]]:
    """Return the settings that no other one beats on these very rows, safest first."""
    points = [(_outcome(record, knob), knob) for knob in range(len(policy.labels))]
    points.sort(key=lambda point: (point[0]["violations"], -point[0]["savings"], point[1]))
    front: list[dict[str, Any]] = [{"violations": 0.0, "savings": 0.0, "knob": "keep"}]
    for outcome, knob in points:
        if outcome["savings"] > front[-1]["savings"]:
            front.append({**outcome, "knob": _label(policy, knob)})
    return front


def _expected_loss(
    policy: Policy, origin: Origin, record: choosing.Record, usd: float
) -> dict[str, Any]:
    """Return cost plus harm of the test window when the knob was chosen for that on the past."""
    knobs = _knobs(policy, origin, lambda past: choosing.by_loss(past, usd, TEST_HOURS))
    chosen = choosing.deployed(record, knobs, origin.trial)
    return _loss(origin.trial, chosen, usd)


def _loss(trial: Trial, chosen: Integers, usd: float) -> dict[str, Any]:
    cost = float(trial.options.price[chosen].sum()) * TEST_HOURS
    incidents = int(trial.harm.excess[trial.counted, chosen].sum())
    return {"usd": cost + usd * incidents, "cost_usd": cost, "incidents": incidents}


def _least_loss(trial: Trial, usd: float) -> dict[str, Any]:
    harm = trial.harm.excess[trial.counted] * usd
    losses: Floats = trial.options.price * TEST_HOURS + harm
    dearer = np.arange(len(trial.options.price)) > trial.current[trial.counted][:, None]
    return _loss(trial, np.where(dearer, np.inf, losses).argmin(axis=1), usd)


def _upsizing(policy: Policy, origin: Origin, knobs: Integers) -> dict[str, Any]:
    """Return how the clipped resources are treated, each by the knob of its fold."""
    trial = origin.trial
    rows = np.flatnonzero(trial.clipped)
    if policy.learns:
        # Nothing is learned of clipped machines, so it advises them by a rule without settings.
        return scores.upsizing(trial, policy.uncapped(trial)[rows])
    knob = knobs[origin.folds[trial.resources[rows]]]
    found = policy.choices(origin, trial, 0, None)[knob, rows]
    return scores.upsizing(trial, np.where(knob == choosing.KEEP_KNOB, trial.current[rows], found))
