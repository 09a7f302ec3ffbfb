"""Studies beside the scores: worse data, the next days, longer and shorter memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from compute_optimizer.backtest import scores
from compute_optimizer.backtest.advice import DEFAULT_POLICY
from compute_optimizer.backtest.deployment import deploy, key_of
from compute_optimizer.backtest.fleet import FleetFacts
from compute_optimizer.backtest.intervals import resample
from compute_optimizer.backtest.origin import Origin
from compute_optimizer.backtest.parts import Part, in_turn, worked_off
from compute_optimizer.backtest.past import Span, Trials, View
from compute_optimizer.backtest.policies import POLICIES, SWEEP
from compute_optimizer.backtest.robustness import robustness, stability
from compute_optimizer.backtest.run import (
    Settings,
    calibrated_budget,
    judged_spans,
    origins_among,
    spans_of,
)
from compute_optimizer.backtest.trial import TEST_DAYS, Trial
from compute_optimizer.backtest.worse_data import PERTURBATIONS
from compute_optimizer.interfaces import Executor, Progress, no_progress

STUDIED = (DEFAULT_POLICY, *(policy for policy in POLICIES if policy.name == SWEEP))
"""What ships, and the strongest simple rule."""

LOOKBACKS = (3, 7, 14, 28, 60)
"""Days of the ablation."""

STUDY_ANALYSES = 10
"""What a study of a resource at an origin takes, in analyses of a resource."""


@dataclass(frozen=True, slots=True, eq=False)
class _Moved:
    """An origin, and what its trial becomes by worse data and by days that pass."""

    origin: Origin
    worsened: Mapping[str, Trial]
    days: Sequence[Trial]


def robustness_views(fleet: FleetFacts, settings: Settings) -> list[View]:
    """Return what the study of worse data and of the next days looks at beside the scores."""
    return [
        view
        for span in judged_spans(fleet, settings)
        for view in (*_worse(span, settings).values(), *_next_days(fleet, span))
    ]


def _worse(span: Span, settings: Settings) -> dict[str, View]:
    return {name: View(span, name, settings.seed) for name in PERTURBATIONS}


def _next_days(fleet: FleetFacts, span: Span) -> list[View]:
    first, train_days, test_days = span
    last = min(first + test_days, fleet.days + 1)
    return [View((day, train_days, test_days)) for day in range(first, last)]


def robustness_study(
    trials: Trials,
    settings: Settings,
    fit_on: Trials | None = None,
    progress: Progress = no_progress,
    executor: Executor = in_turn,
) -> list[dict[str, Any]]:
    """Return by origin and policy what worse data and each next day do to the advice."""
    fleet, moved = trials.facts, []
    for origin in origins_among(trials, settings, fit_on):
        span = (origin.trial.origin, settings.train_days, TEST_DAYS)
        worse = {name: trials.seen(view) for name, view in _worse(span, settings).items()}
        moved.append(_Moved(origin, worse, [trials.seen(one) for one in _next_days(fleet, span)]))
    parts = [
        Part(
            f"worse data at the origin {fleet.day(one.origin.trial.origin)}",
            place,
            partial(_robustness_at, fleet, calibrated_budget(settings)),
        )
        for place, one in enumerate(moved)
    ]
    judged = sum(len(one.origin.trial.resources) for one in moved)
    return worked_off(executor, moved, parts, progress, resources=STUDY_ANALYSES * judged)


def _robustness_at(fleet: FleetFacts, budget: float, moved: _Moved) -> dict[str, Any]:
    origin, by_policy = moved.origin, {}
    for policy in STUDIED:
        deployed = deploy(policy, origin, (budget,))
        knobs, chosen = deployed.knobs[budget], deployed.chosen[budget]
        by_policy[policy.name] = {
            "worse_data": robustness(policy, origin, knobs, chosen, moved.worsened),
            "day_to_day": stability(policy, origin, knobs, moved.days),
        }
    return {"origin": fleet.day(origin.trial.origin).isoformat(), "policies": by_policy}


def lookback_spans(
    fleet: FleetFacts, settings: Settings, lookbacks: Sequence[int] = LOOKBACKS
) -> list[Span]:
    """Return the spans that the study of lookbacks looks at."""
    return [
        span for days in lookbacks for span in spans_of(fleet, replace(settings, train_days=days))
    ]


def lookback_study(
    trials: Trials,
    settings: Settings,
    lookbacks: Sequence[int] = LOOKBACKS,
    progress: Progress = no_progress,
    executor: Executor = in_turn,
) -> dict[str, Any]:
    """Return by lookback, origin and policy the deployed scores; a lookback takes what there is."""
    by_days = {
        days: origins_among(trials, replace(settings, train_days=days)) for days in lookbacks
    }
    asked = [(days, origin) for days, origins in by_days.items() for origin in origins]
    parts = [
        Part(
            f"{days} days before the origin {trials.facts.day(origin.trial.origin)}",
            place,
            partial(_looking_back, trials.facts, settings, days),
        )
        for place, (days, origin) in enumerate(asked)
    ]
    judged = sum(len(origin.trial.resources) for _, origin in asked)
    rows = worked_off(
        executor,
        [origin for _, origin in asked],
        parts,
        progress,
        resources=STUDY_ANALYSES * judged,
    )
    found: dict[str, Any] = {str(days): [] for days in lookbacks}
    for (days, _), row in zip(asked, rows, strict=True):
        found[str(days)].append(row)
    return found


def _looking_back(
    fleet: FleetFacts, settings: Settings, days: int, origin: Origin
) -> dict[str, Any]:
    draws = resample(origin.trial.resources[origin.trial.counted], settings.seed)
    return {
        "origin": fleet.day(origin.trial.origin).isoformat(),
        "days_known": min(days, origin.trial.origin),
        "policies": {
            policy.name: {
                "deployed": {
                    key_of(budget): scores.headline(result, draws)
                    for budget, result in deploy(policy, origin, settings.budgets).results.items()
                }
            }
            for policy in STUDIED
        },
    }
