"""Calibrate: fit the risk model on a fleet's own past, and keep it."""

from compute_optimizer.backtest.described import Asking
from compute_optimizer.backtest.fitting import fit_fleet, fit_trials, spans_to_fit
from compute_optimizer.backtest.fleet import FleetFacts, TraceFleet
from compute_optimizer.backtest.parts import in_turn
from compute_optimizer.backtest.past import View
from compute_optimizer.backtest.run import SEED
from compute_optimizer.catalog import load_instance_types
from compute_optimizer.interfaces import Clock, Executor, Progress, no_progress
from compute_optimizer.jobs.stored_trials import TrialRequest, stored_trials
from compute_optimizer.model.risk import RiskModel
from compute_optimizer.store import State
from compute_optimizer.store import risk as store
from compute_optimizer.store.tiles import TileStore


def calibrate(
    state: State,
    tiles: TileStore,
    clock: Clock,
    *,
    seed: int = SEED,
    keep: bool = True,
    executor: Executor | None = None,
    progress: Progress = no_progress,
) -> RiskModel:
    """Fit the model of all opted-in accounts; the next analysis uses it, if it is kept.

    This process tries shards and fits, or an `executor`; the fit is of the whole fleet.
    Raises Conflict where nobody opted in, and InvalidInput where there is too little to learn from.
    """
    trials = stored_trials(state, tiles, TrialRequest(_views_to_fit), executor, progress)
    model = fit_trials(trials, seed, executor or in_turn)
    if keep:
        with state.writing() as connection:
            store.save_model(connection, model, clock.now())
    return model


def _views_to_fit(facts: FleetFacts) -> dict[View, Asking]:
    return {View(span): Asking() for span in spans_to_fit(facts)}


def fit(fleet: TraceFleet, seed: int = SEED) -> RiskModel:
    """Return the model of a fleet; raises InvalidInput where there is too little to learn from."""
    return fit_fleet(fleet, load_instance_types(), seed)


def forget(state: State) -> bool:
    """Return to the model that ships, and say whether there was another."""
    with state.writing() as connection:
        return store.forget_model(connection)
