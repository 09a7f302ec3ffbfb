"""The whole backtest: every origin, every policy, knobs from the past, scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from compute_optimizer.backtest import choosing, scores
from compute_optimizer.backtest.advice import DEFAULT, DEFAULT_POLICY, within_caps
from compute_optimizer.backtest.calibration import (
    JOINT,
    Forecast,
    at_choice,
    by_score,
    calibration_of,
    groups_of,
    whole_of,
)
from compute_optimizer.backtest.climatology import fit, tightness
from compute_optimizer.backtest.deployment import (
    ORACLE,
    deploy,
    deploy_oracle,
    key_of,
    oracle_report,
    report_of,
)
from compute_optimizer.backtest.fleet import CPU, FleetFacts, TraceFleet
from compute_optimizer.backtest.intervals import Resampled, resample
from compute_optimizer.backtest.learned import learn
from compute_optimizer.backtest.learning import ENGINE, Knowledge, Learner, risks
from compute_optimizer.backtest.options import Options, capacity_steps, ec2_options
from compute_optimizer.backtest.origin import FOLDS, NOBODY, Origin
from compute_optimizer.backtest.parts import Part, in_turn, worked_off
from compute_optimizer.backtest.past import (
    Span,
    Trials,
    check_origins,
    origins_of,
    past_windows,
    trials_of,
)
from compute_optimizer.backtest.policies import POLICIES, SWEEP
from compute_optimizer.backtest.trial import TEST_DAYS, TRAIN_DAYS, Trial
from compute_optimizer.catalog import InstanceTypes
from compute_optimizer.engine.arrays import Floats, Integers
from compute_optimizer.engine.peaks import joint
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Executor, StageProgress, no_progress

BUDGETS = (0.01, 0.02, 0.05, 0.10)
"""Shares of the resources that may be violated."""

INCIDENT_USD = (1.0, 10.0, 100.0)
"""What one violated resource may be held to cost."""

SEED = 2013
"""Of everything that is drawn: folds and bootstrap samples."""

CALIBRATED_BUDGET = 0.05
"""The budget at which a policy that takes one is held against the forecast."""

COMPARED = (DEFAULT_POLICY, *POLICIES)
"""What ships, and every rule that it is compared with."""

ORIGIN_ANALYSES = 2
"""What scoring a resource at an origin takes, in analyses of a resource: 0.6 ms of processor time
where an analysis takes 0.25 (two dimensions, 800 generated machines, 2026-11-26)."""

DRAWING_ANALYSES = 1
"""The same of the intervals of all budgets: 0.3 ms."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a backtest is asked for."""

    dimensions: tuple[str, ...]
    budgets: tuple[float, ...] = BUDGETS
    seed: int = SEED
    train_days: int = TRAIN_DAYS
    origins: tuple[int, ...] = ()
    """Day numbers; empty for the fleet's own."""
    processor_speed: bool = False
    """Whether faster processors count as larger."""


def options_for(
    types: InstanceTypes, dimensions: Sequence[str], processor_speed: bool = False
) -> Options:
    """Return the catalog of the dimensions: capacity steps for the CPU alone, else EC2.

    Credit for faster processors needs processors, so it always means EC2.
    """
    if tuple(dimensions) == (CPU,) and not processor_speed:
        return capacity_steps(types)
    return ec2_options(types, dimensions, processor_speed=processor_speed)


def origins_with_past(
    fleet: TraceFleet, options: Options, settings: Settings, fit_on: TraceFleet | None = None
) -> list[Origin]:
    """Return the origins; with `fit_on`, their past is all of that other fleet.

    Raises InvalidInput for dimensions or origins that a fleet does not have.
    """
    trials = trials_of(fleet.of(settings.dimensions), options)
    other = trials_of(fit_on.of(settings.dimensions), options) if fit_on else None
    return origins_among(trials, settings, other)


def origins_among(trials: Trials, settings: Settings, fit_on: Trials | None = None) -> list[Origin]:
    """Return the origins of trials; with `fit_on`, their past is all of those others.

    Raises InvalidInput for origins that the fleet does not have.
    """
    number_of = trials.facts.resources
    folds = choosing.folds_of(number_of, settings.seed)
    learn = fit_on or trials
    others = learn.facts.resources
    past_folds = np.full(others, NOBODY) if fit_on else folds
    past_groups = choosing.folds_of(others, settings.seed) if fit_on else folds
    return [
        Origin(
            trial=_judged(trials.at(judged), trials.facts),
            past=tuple(learn.at(span) for span in past),
            folds=folds,
            past_folds=past_folds,
            past_groups=past_groups,
        )
        for judged, past in _spans(trials.facts, settings, fit_on.facts if fit_on else None)
    ]


def spans_of(
    facts: FleetFacts, settings: Settings, fit_on: FleetFacts | None = None
) -> tuple[Span, ...]:
    """Return the spans of all trials that a fleet's scores need, each once.

    Raises InvalidInput for origins that the fleet does not have.
    """
    found = [
        span
        for judged, past in _spans(facts, settings, fit_on)
        for span in (judged, *(() if fit_on else past))
    ]
    return tuple(dict.fromkeys(found))


def judged_spans(facts: FleetFacts, settings: Settings) -> list[Span]:
    """Return the spans of the trials that are judged, not of those before them."""
    return [judged for judged, _ in _spans(facts, settings, None)]


def _spans(
    facts: FleetFacts, settings: Settings, fit_on: FleetFacts | None
) -> list[tuple[Span, list[Span]]]:
    """Return of each origin the span to judge, and those to learn from."""
    numbers = settings.origins or origins_of(facts)
    check_origins(facts, numbers)
    return [
        (
            (number, settings.train_days, TEST_DAYS),
            [
                (origin, settings.train_days if train == TRAIN_DAYS else train, test)
                for origin, train, test in past_windows(fit_on.days if fit_on else number)
            ],
        )
        for number in numbers
    ]


def _judged(trial: Trial, fleet: FleetFacts) -> Trial:
    if not len(trial.resources):
        raise InvalidInput(
            f"nothing of {fleet.name} can be judged on {fleet.day(trial.origin)}: that needs 30 "
            "hours of CPU samples in the days before, and a known capacity; name a later --origin, "
            "or import more"
        )
    return trial


def run(
    fleet: TraceFleet,
    types: InstanceTypes,
    settings: Settings,
    fit_on: TraceFleet | None = None,
    progress: StageProgress = no_progress,
) -> dict[str, Any]:
    """Return every score of a fleet, ready for JSON; raises as `origins_with_past`."""
    chosen = fleet.of(settings.dimensions)
    options = options_for(types, settings.dimensions, settings.processor_speed)
    trials = trials_of(chosen, options)
    other = trials_of(fit_on.of(settings.dimensions), options) if fit_on else None
    return scored(trials, settings, other, progress)


def scored(
    trials: Trials,
    settings: Settings,
    fit_on: Trials | None = None,
    progress: StageProgress = no_progress,
    executor: Executor = in_turn,
) -> dict[str, Any]:
    """Return every score of a fleet's trials, ready for JSON; raises as `origins_among`.

    Three rounds of parts, which an `executor` may work off in other processes: what each fold of an
    origin may know; each origin; each budget over all origins.
    """
    origins, fleet = origins_among(trials, settings, fit_on), trials.facts
    learning = partial(progress, "Learning from the past")
    learn(origins, [range(FOLDS)] * len(origins), COMPARED, executor, learning)
    judged = sum(len(origin.trial.resources) for origin in origins)
    judge = partial(_judged_at, fleet, settings)
    found: list[_Judged] = worked_off(
        executor,
        origins,
        [
            Part(f"the origin {fleet.day(one.trial.origin)}", place, judge)
            for place, one in enumerate(origins)
        ],
        partial(progress, "Scoring policies"),
        resources=ORIGIN_ANALYSES * judged,
    )
    draw = partial(_overall_at, settings.seed)
    overall = worked_off(
        executor,
        [_at_all_origins(found, budget) for budget in settings.budgets],
        [
            Part(f"the budget {key_of(budget)}", place, draw)
            for place, budget in enumerate(settings.budgets)
        ],
        partial(progress, "Drawing intervals"),
        resources=DRAWING_ANALYSES * judged,
    )
    return {
        "fleet": _fleet_report(trials, fit_on.facts if fit_on else trials.facts, settings),
        "origins": [one.report for one in found],
        "overall": _overall(settings, overall),
    }


def _fleet_report(trials: Trials, learned: FleetFacts, settings: Settings) -> dict[str, Any]:
    fleet = trials.facts
    return {
        "name": fleet.name,
        "resources": fleet.resources,
        "first_day": fleet.first.isoformat(),
        "days": fleet.days,
        "statistic": fleet.statistic.value,
        "dimensions": list(settings.dimensions),
        "options": len(trials.options.names),
        "processor_speed": settings.processor_speed,
        "train_days": settings.train_days,
        "test_days": TEST_DAYS,
        "knobs_from": learned.name,
        "knobs_from_statistic": learned.statistic.value,
        "default": "least price and expected harm, by the risk model",
        "seed": settings.seed,
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """What is found of one origin."""

    results: Mapping[str, Mapping[float, scores.Result]]
    """By policy and budget."""
    report: dict[str, Any]


def _judged_at(fleet: FleetFacts, settings: Settings, origin: Origin) -> _Judged:
    """Return how all policies did at one origin."""
    trial = origin.trial
    draws = resample(trial.resources[trial.counted], settings.seed)
    best = deploy_oracle(trial, settings.budgets)
    policies = {ORACLE: oracle_report(best, trial, draws, INCIDENT_USD)}
    deployments = {ORACLE: best}
    for policy in COMPARED:
        deployed = deployments[policy.name] = deploy(policy, origin, settings.budgets)
        policies[policy.name] = report_of(policy, deployed, origin, draws, INCIDENT_USD)
    results = {name: one.results for name, one in deployments.items()}
    forecasts = forecasts_of(origin)
    chosen = {
        name: deployments[name].chosen[calibrated_budget(settings)] for name in (DEFAULT, SWEEP)
    }
    calibrations = {name: _calibration(forecasts, trial, c) for name, c in chosen.items()}
    policies[SWEEP]["calibration"] = calibrations[SWEEP]
    report = {
        "origin": fleet.day(trial.origin).isoformat(),
        **_facts_of(origin),
        "policies": policies,
        "calibration": calibrations[DEFAULT],
        "caps": _capped(origin, forecasts),
        "scores": by_score(forecasts, trial.harm.excess[trial.counted], chosen[DEFAULT]),
        "paired": {
            key_of(budget): _paired({name: one[budget] for name, one in results.items()}, draws)
            for budget in settings.budgets
        },
    }
    return _Judged(results, report)


def _facts_of(origin: Origin) -> dict[str, Any]:
    trial = origin.trial
    return {
        "resources": len(trial.resources),
        "scored": len(trial.counted),
        "clipped": int(trial.clipped.sum()),
        "clipped_in_test_only": int((trial.clipped_later & ~trial.clipped).sum()),
        "without_test_samples": int(trial.unseen[trial.counted].sum()),
        "idle": scores.idle(trial),
        "past_windows": [
            {"test_from_day": past.origin, "test_days": past.test_days} for past in origin.past
        ],
    }


def _capped(origin: Origin, forecasts: Mapping[str, Forecast]) -> dict[str, Any]:
    """Return by cap what the cheapest option within it would have done to every resource."""
    trial = origin.trial
    whole = whole_of(forecasts)
    everybody = np.ones(len(trial.counted), np.bool_)
    found = {}
    for cap, chosen in within_caps(origin).items():
        result = scores.result_of(trial, chosen, cap)
        found[key_of(cap)] = {
            "savings": scores.savings(result.price, result.current_price),
            **at_choice(whole, chosen, everybody),
        }
    return found


def calibrated_budget(settings: Settings) -> float:
    """Return the asked budget that is nearest to the one of the calibration."""
    return min(settings.budgets, key=lambda budget: abs(budget - CALIBRATED_BUDGET))


def forecasts_of(origin: Origin, learner: Learner = ENGINE) -> dict[str, Forecast]:
    """Return the risk model's forecast for the unclipped resources, by dimension and jointly.

    Beside it stands the climatology's, the forecast to beat.
    """
    trial = origin.trial
    known = Knowledge(learner, origin)
    by_fold = [risks(learner, known.models(fold), trial) for fold in range(FOLDS)]
    found = {name: _forecast(origin, name, by_fold) for name in trial.options.dimensions}
    if len(found) > 1:
        found[JOINT] = Forecast(
            probability=joint([one.probability for one in found.values()]),
            violated=trial.harm.excess[trial.counted],
            reference=joint([one.reference for one in found.values()]),
            judged=np.logical_or.reduce([one.judged for one in found.values()]),
        )
    return found


def _forecast(origin: Origin, dimension: str, by_fold: Sequence[Mapping[str, Floats]]) -> Forecast:
    trial, rows = origin.trial, origin.trial.counted
    ratio = tightness(trial, dimension)[rows]
    folds = origin.folds[trial.resources[rows]]
    probability, reference = np.zeros(ratio.shape), np.zeros(ratio.shape)
    for fold, risk in enumerate(by_fold):
        mine = folds == fold
        known = fit(origin.past, origin.past_folds, fold, dimension)
        probability[mine] = risk[dimension][rows[mine]]
        reference[mine] = known.at(ratio[mine])
    return Forecast(
        probability=probability,
        violated=trial.harm.by_dimension[dimension][rows],
        reference=reference,
        judged=~np.isnan(ratio),
    )


def _calibration(
    forecasts: Mapping[str, Forecast], trial: Trial, chosen: Integers
) -> dict[str, Any]:
    groups = groups_of(trial)
    return {name: calibration_of(one, chosen, groups) for name, one in forecasts.items()}


def _paired(results: Mapping[str, scores.Result], draws: Resampled) -> dict[str, Any]:
    """Return ours and the strongest sweep, each minus every other policy."""
    return {
        ours: {
            name: scores.paired(results[ours], result, draws)
            for name, result in results.items()
            if name != ours
        }
        for ours in (DEFAULT, SWEEP)
    }


def _at_all_origins(found: Sequence[_Judged], budget: float) -> dict[str, scores.Result]:
    return {
        name: scores.joined([one.results[name][budget] for one in found])
        for name in found[0].results
    }


def _overall_at(seed: int, results: Mapping[str, scores.Result]) -> dict[str, Any]:
    """Return all origins as one; a resource comes with all of its origins into a resample."""
    draws = resample(results[DEFAULT].resources, seed)
    return {
        "deployed": {name: scores.headline(one, draws) for name, one in results.items()},
        "paired": _paired(results, draws),
    }


def _overall(settings: Settings, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the scores over all origins, told by policy, then by budget."""
    by_key = {key_of(budget): one for budget, one in zip(settings.budgets, found, strict=True)}
    return {
        "policies": {
            name: {"deployed": {key: one["deployed"][name] for key, one in by_key.items()}}
            for name in found[0]["deployed"]
        },
        "paired": {key: one["paired"] for key, one in by_key.items()},
    }
