"""Backtest: replay a trace file, or the fleet of the metric store, and score the advice."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from compute_optimizer.backtest.ablation import LEARNERS, ablation_study
from compute_optimizer.backtest.described import Asking, without_samples
from compute_optimizer.backtest.fleet import CPU, FleetFacts, TraceFleet
from compute_optimizer.backtest.learning import ENGINE
from compute_optimizer.backtest.parts import in_turn
from compute_optimizer.backtest.past import Trials, View, trials_of
from compute_optimizer.backtest.policies import POLICIES
from compute_optimizer.backtest.run import BUDGETS, SEED, Settings, options_for, scored, spans_of
from compute_optimizer.backtest.studies import (
    STUDIED,
    lookback_spans,
    lookback_study,
    robustness_study,
    robustness_views,
)
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Executor, StageProgress, no_progress
from compute_optimizer.jobs.stored_fleets import EVERYBODY, Whose
from compute_optimizer.jobs.stored_trials import TrialRequest, stored_trials
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.sources.traces import read_trace
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """What is asked for."""

    dimensions: tuple[str, ...] = ()
    """Empty for all that the fleet has."""
    budgets: tuple[float, ...] = BUDGETS
    seed: int = SEED
    origins: tuple[date, ...] = ()
    """First days of the test windows; empty for the fleet's own."""
    processor_speed: bool = False
    """Whether faster processors count as larger."""
    robustness: bool = False
    lookbacks: tuple[int, ...] = ()
    """Days; empty for no ablation."""
    ablation: bool = False
    """Whether to fit the risk on other features too."""


def backtest(
    fleet: TraceFleet,
    request: BacktestRequest,
    fit_on: TraceFleet | None = None,
    progress: StageProgress = no_progress,
) -> dict[str, Any]:
    """Return every score of a fleet, ready for JSON; with `fit_on`, knobs come from that fleet.

    Raises InvalidInput for what the fleet cannot give.
    """
    settings = _settings(fleet.facts, request)
    chosen = fleet.of(settings.dimensions)
    options = options_for(load_instance_types(), settings.dimensions, settings.processor_speed)
    trials = trials_of(chosen, options)
    other = trials_of(fit_on.of(settings.dimensions), options) if fit_on else None
    return _reported(trials, request, settings, other, progress, in_turn)


def backtest_stored(
    state: State,
    tiles: TileStore,
    request: BacktestRequest,
    fit_on: TraceFleet | None = None,
    progress: StageProgress = no_progress,
    executor: Executor | None = None,
    whose: Whose = EVERYBODY,
) -> dict[str, Any]:
    """Return every score of the metric store's instances, as `backtest` of them would.

    This process reads, tries and scores, or an `executor`; the samples of a shard stay where it is
    read. Raises as `backtest` and `stored_fleet`.
    """
    learned = fit_on.facts if fit_on else None

    def views(facts: FleetFacts) -> dict[View, Asking]:
        return _views(facts, request, learned)

    asked = TrialRequest(views, request.dimensions, request.processor_speed)
    trials = stored_trials(state, tiles, asked, executor, partial(progress, "Reading"), whose)
    settings = _settings(trials.facts, request)
    other = None
    if fit_on:
        there = trials_of(fit_on.of(settings.dimensions), trials.options)
        other = without_samples(there, _scoring(request))
    return _reported(trials, request, settings, other, progress, executor or in_turn)


def _reported(
    trials: Trials,
    request: BacktestRequest,
    settings: Settings,
    fit_on: Trials | None,
    progress: StageProgress,
    executor: Executor,
) -> dict[str, Any]:
    """Return every score of trials, and the studies that are asked for."""
    report = scored(trials, settings, fit_on, progress, executor)
    if request.robustness:
        report["robustness"] = robustness_study(
            trials, settings, fit_on, partial(progress, "Worse data"), executor
        )
    if request.ablation:
        report["ablation"] = ablation_study(
            trials, settings, fit_on, partial(progress, "Features"), executor
        )
    if request.lookbacks:
        report["lookbacks"] = lookback_study(
            trials, settings, request.lookbacks, partial(progress, "Lookbacks"), executor
        )
    return report


def _scoring(request: BacktestRequest) -> Asking:
    """Return what the scores ask of samples."""
    return Asking(POLICIES, LEARNERS if request.ablation else (ENGINE,))


def _views(
    facts: FleetFacts, request: BacktestRequest, learned: FleetFacts | None
) -> dict[View, Asking]:
    """Return the trials that scores and studies need, and what is asked of the samples of each."""
    settings = _settings(facts, request)
    found = {View(span): _scoring(request) for span in spans_of(facts, settings, learned)}
    if request.lookbacks:
        for span in lookback_spans(facts, settings, request.lookbacks):
            found.setdefault(View(span), Asking(STUDIED))
    if request.robustness:
        for view in robustness_views(facts, settings):
            found.setdefault(view, Asking(STUDIED, taught=False))
    return found


def _settings(fleet: FleetFacts, request: BacktestRequest) -> Settings:
    if not request.budgets:
        raise InvalidInput("no budget is given; expected at least one, such as 0.05")
    for budget in request.budgets:
        if not 0 < budget < 1:
            raise InvalidInput(f"the budget {budget:g} is no share; expected 0.01 for 1 %, say")
    if request.dimensions and CPU not in request.dimensions:
        raise InvalidInput(
            f"the dimensions {', '.join(request.dimensions)} are without {CPU}, which every rule "
            f"looks at; name it too, as in {','.join((CPU, *request.dimensions))}"
        )
    return Settings(
        dimensions=request.dimensions or fleet.dimensions,
        budgets=request.budgets,
        seed=request.seed,
        processor_speed=request.processor_speed,
        origins=tuple(fleet.day_number(day) for day in request.origins),
    )


def trace_fleet(path: Path, statistic: Statistic | None = None) -> TraceFleet:
    """Return the fleet of a trace file; raises InvalidInput as `read_trace`."""
    return read_trace(path, statistic)
