"""Knobs from the past: what each setting did in windows that end before the origin.

For each of five folds the knob is chosen on the resources of the other four, so that no resource
takes part in choosing what is deployed to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.backtest.policies import Policy, chosen_by
from compute_optimizer.backtest.trial import Trial
from compute_optimizer.engine.arrays import Booleans, Floats, Integers

FOLDS = 5

NOBODY = -1
"""The fold of resources of another fleet: all of them may be learned from."""

KEEP_KNOB = -1
"""Stands for keeping the current option where no setting stays within the budget."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What every setting of one policy did in one or more trials; arrays (knobs, rows)."""

    fold: Integers
    """(rows,)."""
    choice: Integers
    violated: Booleans
    price: Floats
    current_price: Floats
    """(rows,)."""


def folds_of(resources: int, seed: int) -> Integers:
    """Return the fold of every resource of a fleet."""
    order = np.random.default_rng(seed).permutation(resources)
    found = np.empty(resources, np.int64)
    found[order] = np.arange(resources) % FOLDS
    return found


def record_of(policy: Policy, trial: Trial, folds: Integers) -> Record:
    """Return what the settings of a policy do in a trial, for resources that were not clipped."""
    key = ("record", policy.name, folds.tobytes())
    return trial.remembered(key, lambda: _record(policy, trial, folds))


def _record(policy: Policy, trial: Trial, folds: Integers) -> Record:
    counted = trial.counted
    choice = chosen_by(policy.knobs, trial)[:, counted]
    return Record(
        fold=folds[trial.resources[counted]],
        choice=choice,
        violated=trial.harm.excess[counted, choice],
        price=trial.options.price[choice],
        current_price=trial.current_price[counted],
    )


def joined(records: Sequence[Record]) -> Record:
    """Return the records of several trials as one; there is at least one."""
    return Record(
        fold=np.concatenate([record.fold for record in records]),
        choice=np.concatenate([record.choice for record in records], axis=1),
        violated=np.concatenate([record.violated for record in records], axis=1),
        price=np.concatenate([record.price for record in records], axis=1),
        current_price=np.concatenate([record.current_price for record in records]),
    )


def by_budget(past: Record, budget: float) -> Integers:
    """Return for each fold the knob that saves most within the budget, or KEEP_KNOB."""
    return np.array([_best(past, past.fold != fold, budget) for fold in range(FOLDS)])


def by_loss(past: Record, incident_usd: float, hours: float) -> Integers:
    """Return for each fold the knob of least cost plus harm, or KEEP_KNOB where that costs less."""
    found = []
    for fold in range(FOLDS):
        rows = past.fold != fold
        losses = past.price[:, rows].sum(axis=1) * hours
        losses = losses + past.violated[:, rows].sum(axis=1) * incident_usd
        kept = past.current_price[rows].sum() * hours
        best = int(losses.argmin())
        found.append(best if losses[best] <= kept else KEEP_KNOB)
    return np.array(found)


def within(record: Record, budget: float) -> int:
    """Return the knob that saves most within the budget on these very rows, or KEEP_KNOB."""
    return _best(record, np.ones(len(record.fold), np.bool_), budget)


def _best(record: Record, rows: Booleans, budget: float) -> int:
    """Return the cheapest knob within the budget; of equals the one that violates least."""
    if not rows.any():
        return KEEP_KNOB
    rates = record.violated[:, rows].mean(axis=1)
    prices = record.price[:, rows].sum(axis=1)
    order = np.lexsort((np.arange(len(rates)), rates, prices))
    return next((int(knob) for knob in order if rates[knob] <= budget), KEEP_KNOB)


def deployed(record: Record, knobs: Integers, trial: Trial) -> Integers:
    """Return the option that each unclipped resource gets when its fold uses the given knob."""
    counted = trial.counted
    knob = knobs[record.fold]
    chosen = record.choice[knob, np.arange(len(knob))]
    return np.where(knob == KEEP_KNOB, trial.current[counted], chosen)
