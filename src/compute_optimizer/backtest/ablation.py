"""What each group of features buys: the same model from other descriptions of the past.

The groups beside the daily maxima stand here and not in the engine, which holds what helps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from compute_optimizer.backtest import scores
from compute_optimizer.backtest.advice import DEFAULT, least_loss_policy
from compute_optimizer.backtest.calibration import proper_scores, whole_of
from compute_optimizer.backtest.deployment import deploy
from compute_optimizer.backtest.fleet import FleetFacts
from compute_optimizer.backtest.learning import ENGINE, Describe, Learner, engine_history
from compute_optimizer.backtest.origin import Origin
from compute_optimizer.backtest.parts import Part, in_turn, worked_off
from compute_optimizer.backtest.past import Trials
from compute_optimizer.backtest.run import (
    Settings,
    calibrated_budget,
    forecasts_of,
    origins_among,
)
from compute_optimizer.backtest.trial import Train
from compute_optimizer.engine.arrays import Floats
from compute_optimizer.engine.peaks import LEAST_SHARE, PeakHistory
from compute_optimizer.engine.statistics import percentile, upper_tail
from compute_optimizer.interfaces import Executor, Progress, no_progress
from compute_optimizer.model.metrics import SLOTS_PER_DAY, SLOTS_PER_HOUR, Matrix

PERCENTILES = (99.5, 99.0, 95.0, 50.0)

FEATURES_ANALYSES = 10
"""What one group of features takes for a resource at an origin, in analyses of a resource."""

DAYS_PER_WEEK = 7
WEEK_SLOTS = DAYS_PER_WEEK * SLOTS_PER_DAY

Group = Callable[[Matrix, Floats, Floats], Floats]
"""From demand (resources, slots), peak and capacity to features, (resources, features)."""


def _over_peak(values: Floats, peak: Floats, capacity: Floats) -> Floats:
    floored = np.maximum(np.nan_to_num(values), LEAST_SHARE * capacity)
    found: Floats = np.nan_to_num(np.log(floored / peak))
    return found


def quantiles(demand: Matrix, peak: Floats, capacity: Floats) -> Floats:
    """Return percentiles of all samples over the peak."""
    ordered, counts = upper_tail(demand, demand.shape[1])
    levels = [percentile(ordered, counts, percent) for percent in PERCENTILES]
    return np.column_stack([_over_peak(level, peak, capacity) for level in levels])


def hour_of_week(demand: Matrix, peak: Floats, capacity: Floats) -> Floats:
    """Return the highest hour that came in both of the last weeks, and how long use is high."""
    resources, slots = demand.shape
    by_hour = demand.reshape(resources, slots // SLOTS_PER_HOUR, SLOTS_PER_HOUR)
    hours = np.fmax.reduce(by_hour, axis=2)
    week = WEEK_SLOTS // SLOTS_PER_HOUR
    last = hours[:, -week:]
    before = hours[:, -2 * week : -week] if hours.shape[1] >= 2 * week else last
    repeated = np.fmax.reduce(np.fmin(last, before), axis=1)
    counts = np.maximum(np.isfinite(demand).sum(axis=1), 1)
    high = (demand >= 0.5 * peak[:, None]).sum(axis=1) / counts
    return np.column_stack([_over_peak(repeated, peak, capacity), np.log(high + 1e-4)])


def trend_and_recency(demand: Matrix, peak: Floats, capacity: Floats) -> Floats:
    """Return the slope of daily means, last week's highest over the peak, and the peak's age."""
    resources, slots = demand.shape
    days = demand.reshape(resources, slots // SLOTS_PER_DAY, SLOTS_PER_DAY)
    counts = np.isfinite(days).sum(axis=2)
    means = np.nansum(days, axis=2) / np.maximum(counts, 1)
    logs = np.log(np.maximum(means, LEAST_SHARE * capacity[:, None]) / peak[:, None])
    logs = np.where(counts > 0, np.nan_to_num(logs), 0.0)
    day = np.arange(days.shape[1]) - (days.shape[1] - 1) / 2
    # Not a product of matrices, whose rounding depends on how many rows there are.
    slope = (logs * day).sum(axis=1) / max(float(day @ day), 1.0) * len(day)
    daily = np.nan_to_num(np.fmax.reduce(days, axis=2))
    age = daily[:, ::-1].argmax(axis=1) / days.shape[1]
    recent = _over_peak(daily[:, -DAYS_PER_WEEK:].max(axis=1), peak, capacity)
    return np.column_stack([slope, recent, age])


def censoring_and_coverage(demand: Matrix, peak: Floats, capacity: Floats) -> Floats:
    """Return the share of samples at the ceiling, and of slots with a sample."""
    counts = np.isfinite(demand).sum(axis=1)
    ceiling = (demand >= 0.99 * capacity[:, None]).sum(axis=1) / np.maximum(counts, 1)
    return np.column_stack([ceiling, counts / demand.shape[1]])


def size(demand: Matrix, peak: Floats, capacity: Floats) -> Floats:
    """Return the size of the machine, and how much of it the peak leaves free."""
    room = np.nan_to_num(np.log(capacity / peak))
    return np.column_stack([np.log(capacity), room])


GROUPS: Mapping[str, Group] = {
    "quantiles": quantiles,
    "hour of week": hour_of_week,
    "trend and recency": trend_and_recency,
    "censoring and coverage": censoring_and_coverage,
    "size": size,
}


def _without_features(train: Train, dimension: str) -> PeakHistory:
    history = engine_history(train, dimension)
    return replace(history, features=np.zeros((len(history.peak), 1)))


def _described(groups: Sequence[Group], *, daily: bool) -> Describe:
    return partial(_history, tuple(groups), daily)


def _history(groups: Sequence[Group], daily: bool, train: Train, dimension: str) -> PeakHistory:
    history = engine_history(train, dimension)
    capacity = train.current[:, train.dimensions.index(dimension)]
    demand = train.demand[dimension]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = [group(demand, history.peak, capacity) for group in groups]
    own = [history.features] if daily else []
    return replace(history, features=np.concatenate([*own, *found], axis=1))


LEARNERS = (
    Learner("one scale for all", _without_features),
    *(Learner(f"{name} alone", _described([group], daily=False)) for name, group in GROUPS.items()),
    ENGINE,
    *(
        Learner(f"engine and {name}", _described([group], daily=True))
        for name, group in GROUPS.items()
    ),
    Learner("engine and all of these", _described(list(GROUPS.values()), daily=True)),
)
"""What ships is the engine's: the daily maxima."""


def ablation_study(
    trials: Trials,
    settings: Settings,
    fit_on: Trials | None = None,
    progress: Progress = no_progress,
    executor: Executor = in_turn,
) -> list[dict[str, Any]]:
    """Return by features and origin what is deployed and how good the forecast is."""
    origins = origins_among(trials, settings, fit_on)
    budget = calibrated_budget(settings)
    parts = [
        Part(
            f"the features {learner.name} at the origin {trials.facts.day(origin.trial.origin)}",
            place,
            partial(_with_features, trials.facts, learner, budget),
        )
        for learner in LEARNERS
        for place, origin in enumerate(origins)
    ]
    judged = sum(len(one.trial.resources) for one in origins)
    rows = worked_off(
        executor, origins, parts, progress, resources=FEATURES_ANALYSES * judged * len(LEARNERS)
    )
    return [
        {"features": learner.name, "origins": rows[first : first + len(origins)]}
        for learner, first in zip(LEARNERS, range(0, len(rows), len(origins)), strict=True)
    ]


def _with_features(
    fleet: FleetFacts, learner: Learner, budget: float, origin: Origin
) -> dict[str, Any]:
    policy = least_loss_policy(f"{DEFAULT} by {learner.name}", learner)
    result = deploy(policy, origin, (budget,)).results[budget]
    return {
        "origin": fleet.day(origin.trial.origin).isoformat(),
        **scores.plain(result),
        **proper_scores(whole_of(forecasts_of(origin, learner))),
    }
