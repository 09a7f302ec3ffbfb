"""Knobs from the past: what each setting did in windows that end before the origin.

For each of five folds the knob is chosen on the resources of the other four, so that no resource
takes part in choosing what is deployed to it; nor in fitting it, where the advice is learned.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.backtest.origin import FOLDS, Origin
from compute_optimizer.backtest.policies import Policy
from compute_optimizer.backtest.trial import Trial
from compute_optimizer.engine.arrays import Booleans, Floats, Integers

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


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What every setting of one policy came to over the rows of a record; arrays (knobs,)."""

    rows: int
    violated: Integers
    price: Floats
    """USD per hour."""
    current_price: float
    """The same of what there is, whatever the setting."""


def summed(record: Record) -> Sums:
    """Return what the settings came to."""
    return Sums(
        rows=len(record.fold),
        violated=record.violated.sum(axis=1),
        price=record.price.sum(axis=1),
        current_price=float(record.current_price.sum()),
    )


def record_of(policy: Policy, origin: Origin, trial: Trial) -> Record:
    """Return what the settings do in a trial of the origin's fleet, for unclipped resources.

    Each resource gets what was learned from the other folds of the origin's past.
    """
    counted = trial.counted
    fold = origin.folds[trial.resources[counted]]
    if not policy.learns:
        return _record(trial, fold, policy.choices(origin, trial, 0, None)[:, counted])
    choice = np.zeros((len(policy.labels), len(counted)), np.int64)
    for one in range(FOLDS):
        mine = fold == one
        choice[:, mine] = policy.choices(origin, trial, one, None)[:, counted[mine]]
    return _record(trial, fold, choice)


def past_of(policy: Policy, origin: Origin, fold: int) -> Sums:
    """Return what the settings came to in all windows that end before the origin.

    Of resources that the fold may learn from; each got what was learned from other groups.
    """
    return origin.remembered(
        ("past", policy.name, fold),
        lambda: summed(joined([_past_record(policy, origin, one, fold) for one in origin.past])),
    )


def _past_record(policy: Policy, origin: Origin, trial: Trial, fold: int) -> Record:
    rows = np.flatnonzero(origin.learnable(trial, fold, None))
    group = origin.past_groups[trial.resources[rows]]
    if policy.learns:
        choice = np.zeros((len(policy.labels), len(rows)), np.int64)
        for one in np.unique(group).tolist():
            mine = group == one
            choice[:, mine] = policy.choices(origin, trial, fold, one)[:, rows[mine]]
    else:
        choice = policy.choices(origin, trial, fold, None)[:, rows]
    return Record(
        fold=origin.past_folds[trial.resources[rows]],
        choice=choice,
        violated=trial.harm.excess[rows, choice],
        price=trial.options.price[choice],
        current_price=trial.current_price[rows],
    )


def _record(trial: Trial, fold: Integers, choice: Integers) -> Record:
    counted = trial.counted
    return Record(
        fold=fold,
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


def by_loss(past: Sums, incident_usd: float, hours: float) -> int:
    """Return the setting of least cost plus harm, or KEEP_KNOB where that costs less."""
    losses = past.price * hours + past.violated * incident_usd
    kept = past.current_price * hours
    best = int(losses.argmin())
    return best if losses[best] <= kept else KEEP_KNOB


def within(past: Sums, budget: float) -> int:
    """Return the setting that saves most within the budget on these very rows, or KEEP_KNOB.

    Of equally cheap ones it is the one that violates least.
    """
    if not past.rows:
        return KEEP_KNOB
    rates = past.violated / past.rows
    order = np.lexsort((np.arange(len(rates)), rates, past.price))
    return next((int(knob) for knob in order if rates[knob] <= budget), KEEP_KNOB)


def deployed(record: Record, knobs: Integers, trial: Trial) -> Integers:
    """Return the option that each unclipped resource gets when its fold uses the given knob."""
    counted = trial.counted
    knob = knobs[record.fold]
    chosen = record.choice[knob, np.arange(len(knob))]
    return np.where(knob == KEEP_KNOB, trial.current[counted], chosen)
