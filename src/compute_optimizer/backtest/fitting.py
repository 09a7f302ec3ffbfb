"""The risk model of a whole fleet, fitted on all of its past, and how it did on that past."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from compute_optimizer.backtest import choosing
from compute_optimizer.backtest.advice import DEFAULT_POLICY
from compute_optimizer.backtest.calibration import at_choice, proper_scores, whole_of
from compute_optimizer.backtest.deployment import deploy
from compute_optimizer.backtest.fleet import FleetFacts, TraceFleet
from compute_optimizer.backtest.learned import learn
from compute_optimizer.backtest.learning import (
    ENGINE,
    INCIDENT_USD,
    SELECTED_FOR,
    Knowledge,
    joint_risk,
    tried,
)
from compute_optimizer.backtest.origin import FOLDS, NOBODY, Origin
from compute_optimizer.backtest.parts import Part, in_turn, worked_off
from compute_optimizer.backtest.past import Span, Trials, origins_of, past_windows, trials_of
from compute_optimizer.backtest.run import (
    SEED,
    Settings,
    forecasts_of,
    options_for,
    origins_among,
    spans_of,
)
from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine import peaks
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Executor
from compute_optimizer.model.risk import RiskModel

EVERYBODY = 0
"""A fold that leaves out nobody, where the fold of all is NOBODY."""

TESTED_BUDGET = 0.05
"""Share of violated machines at which a model's card tells how it did."""

TESTED_ANALYSES = 2
"""What testing a model on a resource takes, in analyses of a resource."""


def fit_fleet(fleet: TraceFleet, types: InstanceTypes, seed: int = SEED) -> RiskModel:
    """Return the model of a fleet, from all windows of its past and all of its machines.

    Raises InvalidInput where there is too little to learn from.
    """
    return fit_trials(trials_of(fleet, options_for(types, tuple(fleet.demand))), seed)


def spans_to_fit(facts: FleetFacts) -> tuple[Span, ...]:
    """Return the spans of all trials that fitting a fleet needs, each once."""
    tested = spans_of(facts, Settings(facts.dimensions)) if _testable(facts) else ()
    return tuple(dict.fromkeys((*past_windows(facts.days), *tested)))


def fit_trials(trials: Trials, seed: int = SEED, executor: Executor = in_turn) -> RiskModel:
    """Return the model of a fleet's trials.

    By how much choosing misleads, and what a violation may be held to cost, are told by machines
    that were left out. An `executor` may fit in other processes. Raises InvalidInput where there is
    too little to learn from.
    """
    fleet = trials.facts
    windows = past_windows(fleet.days)
    past = tuple(trials.at(window) for window in windows)
    everybody = np.full(fleet.resources, NOBODY)
    groups = choosing.folds_of(fleet.resources, seed)
    whole = Origin(past[0], past, everybody, everybody, groups)
    tested = _origins_to_test(trials, seed)
    folds = [(EVERYBODY,), *[range(FOLDS)] * len(tested)]
    learn([whole, *tested], folds, [DEFAULT_POLICY], executor, _quietly)
    knowledge = Knowledge(ENGINE, whole)
    models = knowledge.models(EVERYBODY)
    if not models:
        raise InvalidInput(
            f"{fleet.name} has too little to fit a risk on: fewer than {peaks.LEAST_LESSONS} "
            "machines with samples before and after a day, each counted once a week; import more, "
            "or use the model that ships"
        )
    return RiskModel(
        peaks=dict(models),
        incident_usd=_incident_usd(knowledge),
        card={
            **_facts(fleet, past_days=[[origin, train, test] for origin, train, test in windows]),
            "lessons": sum(len(trial.counted) for trial in past),
            "choosing_misleads_by_log_odds": knowledge.selection(EVERYBODY),
            "shift_log_odds": peaks.SHIFT_LOG_ODDS,
            "tested": _tested(fleet, tested, executor),
        },
    )


def _facts(fleet: FleetFacts, past_days: list[list[int]]) -> dict[str, Any]:
    return {
        "fleet": fleet.name,
        "machines": fleet.resources,
        "first_day": fleet.first.isoformat(),
        "days": fleet.days,
        "statistic": fleet.statistic.value,
        "dimensions": list(fleet.dimensions),
        "windows": past_days,
    }


def _incident_usd(knowledge: Knowledge) -> dict[str, float]:
    """Return what a violation may be held to cost, by share of violated machines asked for.

    A share that no price kept to is left out.
    """
    parts = []
    for trial in knowledge.origin.past:
        known = knowledge.origin.learnable(trial, EVERYBODY, None)
        groups = knowledge.origin.past_groups[trial.resources]
        for group in np.unique(groups[known]).tolist():
            risk = joint_risk(ENGINE, knowledge.models(EVERYBODY, group), trial)
            parts.append((trial, np.flatnonzero(known & (groups == group)), risk, risk))
    past = tried(parts)
    places = {share: past.within(share) for share in SELECTED_FOR}
    return {f"{share:g}": INCIDENT_USD[p] for share, p in places.items() if p is not None}


def _testable(facts: FleetFacts) -> bool:
    """Whether there are days to test on."""
    try:
        origins_of(facts)
    except InvalidInput:
        return False
    return True


def _origins_to_test(trials: Trials, seed: int) -> list[Origin]:
    """Return the origins at which models of earlier days are tested; none without such days."""
    if not _testable(trials.facts):
        return []
    return origins_among(trials, Settings(trials.facts.dimensions, seed=seed))


def _tested(
    fleet: FleetFacts, origins: Sequence[Origin], executor: Executor
) -> list[dict[str, Any]]:
    """Return how models of earlier days and of other machines did."""
    parts = [
        Part(f"the origin {fleet.day(one.trial.origin)}", place, partial(_tested_at, fleet))
        for place, one in enumerate(origins)
    ]
    resources = TESTED_ANALYSES * sum(len(one.trial.resources) for one in origins)
    return worked_off(executor, origins, parts, _quietly, resources=resources)


def _tested_at(fleet: FleetFacts, origin: Origin) -> dict[str, Any]:
    chosen = deploy(DEFAULT_POLICY, origin, (TESTED_BUDGET,)).chosen[TESTED_BUDGET]
    forecast = whole_of(forecasts_of(origin))
    everybody = np.ones(len(chosen), np.bool_)
    seen: Mapping[str, Any] = at_choice(forecast, chosen, everybody)
    return {
        "origin": fleet.day(origin.trial.origin).isoformat(),
        **{key: seen[key] for key in ("resources", "observed", "expected")},
        **proper_scores(forecast),
    }


def _quietly(done: int, total: int) -> None:
    """Tell nobody."""
