"""What one set of recommendations would have done: violations, unserved demand, savings."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from compute_optimizer.backtest.intervals import Resampled, middle_95, wilson
from compute_optimizer.backtest.oracle import oracle
from compute_optimizer.backtest.trial import Trial
from compute_optimizer.engine.arrays import Booleans, Floats, Integers

PER_MILLION = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What was deployed to the unclipped resources of one trial, or of several."""

    resources: Integers
    violated: Booleans
    price: Floats
    current_price: Floats
    oracle_price: Floats
    """What the oracle would have paid with the violations that the budget allows."""
    matched_price: Floats
    """What it would have paid with as many violations as these."""


def allowed(budget: float, resources: int) -> int:
    """Return how many of the resources may be violated."""
    return int(np.floor(budget * resources + 1e-9))


def result_of(trial: Trial, chosen: Integers, budget: float) -> Result:
    """Return the outcome of options chosen for the unclipped resources."""
    counted = trial.counted
    violated = trial.harm.excess[counted, chosen]
    price = trial.options.price
    return Result(
        resources=trial.resources[counted],
        violated=violated,
        price=price[chosen],
        current_price=trial.current_price[counted],
        oracle_price=price[oracle(trial, allowed(budget, len(counted)))],
        matched_price=price[oracle(trial, int(violated.sum()))],
    )


def joined(results: list[Result]) -> Result:
    """Return the outcomes of several trials as one."""
    names = [field.name for field in fields(Result)]
    return Result(*(np.concatenate([getattr(one, name) for one in results]) for name in names))


def savings(price: Floats, current_price: Floats) -> float:
    """Return the net savings as a ratio of sums."""
    total = float(current_price.sum())
    return 1 - float(price.sum()) / total if total else 0.0


def headline(result: Result, draws: Resampled) -> dict[str, Any]:
    """Return violations, savings and regret with their 95 % intervals.

    `draws` are bootstrap samples of the result's rows.
    """
    number = len(result.violated)
    share = int(result.violated.sum()) / number if number else 0.0
    # One machine at several origins is not several machines: the interval counts it once.
    machines = len(np.unique(result.resources))
    saved, best = _savings_in(draws, result.price, result), _best_in(draws, result)
    own = savings(result.price, result.current_price)
    return {
        "violations": share,
        "violations_interval": list(wilson(share * machines, machines)),
        "savings": own,
        "savings_interval": middle_95(saved),
        "regret": savings(result.oracle_price, result.current_price) - own,
        "regret_interval": middle_95(best - saved),
        "regret_at_realized": savings(result.matched_price, result.current_price) - own,
    }


def plain(result: Result) -> dict[str, float]:
    """Return violations, savings and regret at as many violations, without intervals."""
    own = savings(result.price, result.current_price)
    number = len(result.violated)
    return {
        "violations": int(result.violated.sum()) / number if number else 0.0,
        "savings": own,
        "regret_at_realized": savings(result.matched_price, result.current_price) - own,
    }


def _savings_in(draws: Resampled, price: Floats, result: Result) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1 - draws.total(price) / draws.total(result.current_price)


def _best_in(draws: Resampled, result: Result) -> Floats:
    return _savings_in(draws, result.oracle_price, result)


def details(trial: Trial, chosen: Integers) -> dict[str, Any]:
    """Return what else is known of options chosen for the unclipped resources of one trial."""
    counted = trial.counted
    number = max(len(counted), 1)
    violated = trial.harm.excess[counted, chosen]
    certain = violated & ~trial.clipped_later[counted]
    price, current = trial.options.price[chosen], trial.current_price[counted]
    demanded = float(trial.demanded[counted].sum())
    unserved = float(trial.harm.unserved[counted, chosen].sum())
    return {
        "violations_bounds": [float(certain.sum()) / number, float(violated.sum()) / number],
        "violations_lenient": float(trial.harm.lenient[counted, chosen].sum()) / number,
        "violations_by_dimension": {
            name: float(found[counted, chosen].sum()) / number
            for name, found in trial.harm.by_dimension.items()
        },
        "unserved_vcpu_hours_per_million": unserved / demanded * PER_MILLION if demanded else 0.0,
        "median_savings": float(np.median(1 - price / current)) if len(counted) else 0.0,
        **_downsizing(price < current, violated, trial.options.price[oracle(trial, 0)] < current),
    }


def _downsizing(smaller: Booleans, violated: Booleans, possible: Booleans) -> dict[str, Any]:
    """Return how many of the reductions did no harm, and how many of the harmless were found."""
    return {
        "downsized": int(smaller.sum()),
        "downsizing_precision": share_of(smaller & ~violated, smaller),
        "downsizing_recall": share_of(smaller & possible, possible),
    }


def share_of(hits: Booleans, of: Booleans) -> float | None:
    """Return the share of hits; None of nothing."""
    number = int(of.sum())
    return int(hits.sum()) / number if number else None


def idle(trial: Trial) -> dict[str, Any]:
    """Return how well machines that never used 5 % of their CPU keep to that."""
    before, after = trial.idle[trial.counted], trial.idle_later[trial.counted]
    return {
        "found": int(before.sum()),
        "precision": share_of(before & after, before),
        "recall": share_of(before & after, after),
    }


def upsizing(trial: Trial, chosen: Integers) -> dict[str, Any]:
    """Return how many of the clipped resources are recommended more; `chosen` is for them only."""
    rows = np.flatnonzero(trial.clipped)
    larger = trial.options.price[chosen] > trial.current_price[rows]
    still = trial.clipped_later[rows]
    found, number = int((larger & still).sum()), int(still.sum())
    return {
        "clipped": len(rows),
        "still_clipped": number,
        "upsized": int(larger.sum()),
        "recall": share_of(larger & still, still),
        "recall_interval": list(wilson(found, number)),
    }


def paired(ours: Result, other: Result, draws: Resampled) -> dict[str, Any]:
    """Return ours minus the other's on the same resources, with bootstrap intervals."""
    number = draws.total(np.ones(len(ours.violated)))
    excess = ours.violated.astype(np.float64) - other.violated
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = draws.total(excess) / number
    saved = _savings_in(draws, ours.price, ours) - _savings_in(draws, other.price, other)
    return {
        "violations": float(excess.mean()) if len(excess) else 0.0,
        "violations_interval": middle_95(rates),
        "savings": savings(ours.price, ours.current_price)
        - savings(other.price, other.current_price),
        "savings_interval": middle_95(saved),
    }
