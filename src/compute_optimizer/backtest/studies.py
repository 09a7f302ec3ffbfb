"""Studies beside the scores: worse data, the next days, longer and shorter memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from compute_optimizer.backtest import scores
from compute_optimizer.backtest.advice import DEFAULT_POLICY
from compute_optimizer.backtest.deployment import deploy, key_of
from compute_optimizer.backtest.fleet import TraceFleet
from compute_optimizer.backtest.intervals import resample
from compute_optimizer.backtest.past import trials_of
from compute_optimizer.backtest.policies import POLICIES, SWEEP
from compute_optimizer.backtest.robustness import robustness, stability
from compute_optimizer.backtest.run import (
    Settings,
    calibrated_budget,
    options_for,
    origins_with_past,
)
from compute_optimizer.backtest.trial import TEST_DAYS
from compute_optimizer.catalog import InstanceTypes

STUDIED = (DEFAULT_POLICY, *(policy for policy in POLICIES if policy.name == SWEEP))
"""What ships, and the strongest simple rule."""

LOOKBACKS = (3, 7, 14, 28, 60)
"""Days of the ablation."""


def robustness_study(
    fleet: TraceFleet,
    types: InstanceTypes,
    settings: Settings,
    fit_on: TraceFleet | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[dict[str, Any]]:
    """Return by origin and policy what worse data and each next day do to the advice."""
    options = options_for(types, settings.dimensions, settings.processor_speed)
    origins = origins_with_past(fleet, options, settings, fit_on)
    trials = trials_of(fleet.of(settings.dimensions), options)
    budget = calibrated_budget(settings)
    found = []
    for number, origin in enumerate(origins, start=1):
        first = origin.trial.origin
        last = min(first + TEST_DAYS, fleet.days + 1)
        by_policy: dict[str, Any] = {}
        for policy in STUDIED:
            deployed = deploy(policy, origin, (budget,))
            knobs = deployed.knobs[budget]
            by_policy[policy.name] = {
                "worse_data": robustness(
                    policy, origin, knobs, deployed.chosen[budget], settings.seed
                ),
                "day_to_day": stability(
                    policy,
                    origin,
                    knobs,
                    [
                        trials.at((day, settings.train_days, TEST_DAYS))
                        for day in range(first, last)
                    ],
                ),
            }
        found.append({"origin": fleet.day(first).isoformat(), "policies": by_policy})
        progress(number, len(origins))
    return found


def lookback_study(
    fleet: TraceFleet,
    types: InstanceTypes,
    settings: Settings,
    lookbacks: Sequence[int] = LOOKBACKS,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Return by lookback, origin and policy the deployed scores; a lookback takes what there is."""
    options = options_for(types, settings.dimensions, settings.processor_speed)
    found: dict[str, Any] = {}
    for number, days in enumerate(lookbacks, start=1):
        origins = origins_with_past(fleet, options, replace(settings, train_days=days))
        rows = []
        for origin in origins:
            by_policy = {}
            counted = origin.trial.resources[origin.trial.counted]
            draws = resample(counted, settings.seed)
            for policy in STUDIED:
                deployed = deploy(policy, origin, settings.budgets)
                by_policy[policy.name] = {
                    "deployed": {
                        key_of(budget): scores.headline(result, draws)
                        for budget, result in deployed.results.items()
                    }
                }
            day = fleet.day(origin.trial.origin).isoformat()
            days_known = min(days, origin.trial.origin)
            rows.append({"origin": day, "days_known": days_known, "policies": by_policy})
        found[str(days)] = rows
        progress(number, len(lookbacks))
    return found
