"""Backtest: replay a trace file, or the fleet of the metric store, and score the advice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from compute_optimizer.backtest.ablation import ablation_study
from compute_optimizer.backtest.fleet import CPU, FleetFacts, TraceFleet
from compute_optimizer.backtest.past import Span, trials_of
from compute_optimizer.backtest.run import BUDGETS, SEED, Settings, run, scored, spans_of
from compute_optimizer.backtest.studies import lookback_study, robustness_study
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Executor
from compute_optimizer.jobs.stored_fleets import (
    ENGINE_DIMENSIONS,
    EVERYBODY,
    Whose,
    stored_fleet,
)
from compute_optimizer.jobs.stored_trials import Asked, stored_trials
from compute_optimizer.model.metrics import Statistic
from compute_optimizer.sources.traces import read_trace
from compute_optimizer.store import State
from compute_optimizer.store.tiles import TileStore

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the steps that are done and their number."""


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
    progress: Progress = lambda doing, done, total: None,
) -> dict[str, Any]:
    """Return every score of a fleet, ready for JSON; with `fit_on`, knobs come from that fleet.

    Raises InvalidInput for what the fleet cannot give.
    """
    types, settings = load_instance_types(), _settings(fleet.facts, request)

    report = run(fleet, types, settings, fit_on, partial(progress, "Scoring policies"))
    if request.robustness:
        report["robustness"] = robustness_study(
            fleet, types, settings, fit_on, partial(progress, "Worse data")
        )
    if request.ablation:
        report["ablation"] = ablation_study(
            fleet, types, settings, fit_on, partial(progress, "Features")
        )
    if request.lookbacks:
        report["lookbacks"] = lookback_study(
            fleet, types, settings, request.lookbacks, partial(progress, "Lookbacks")
        )
    return report


def backtest_stored(
    state: State,
    tiles: TileStore,
    request: BacktestRequest,
    fit_on: TraceFleet | None = None,
    progress: Progress = lambda doing, done, total: None,
    executor: Executor | None = None,
    whose: Whose = EVERYBODY,
) -> dict[str, Any]:
    """Return every score of the metric store's instances, as `backtest` of them would.

    Shards are tried by this process, or by an `executor`, and their samples stay there. Studies
    need the samples of the whole fleet in this process. Raises as `backtest` and `stored_fleet`.
    """
    reading = partial(progress, "Reading")
    if request.robustness or request.ablation or request.lookbacks:
        dimensions = request.dimensions or tuple(ENGINE_DIMENSIONS)
        fleet = stored_fleet(state, tiles, dimensions, executor, reading, whose)
        return backtest(fleet, request, fit_on, progress)
    learned = fit_on.facts if fit_on else None

    def spans(facts: FleetFacts) -> tuple[Span, ...]:
        return spans_of(facts, _settings(facts, request), learned)

    asked = Asked(spans, request.dimensions, compared=True, processor_speed=request.processor_speed)
    trials = stored_trials(state, tiles, asked, executor, reading, whose)
    settings = _settings(trials.facts, request)
    other = trials_of(fit_on.of(settings.dimensions), trials.options) if fit_on else None
    return scored(trials, settings, other, partial(progress, "Scoring policies"))


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
