"""The advice for any type of resource, given on a day of the past and held against what came.

Arrays have a row per resource that was judged at an origin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np

from compute_optimizer.backtest.intervals import Resampled, middle_95, resample, wilson
from compute_optimizer.backtest.scores import share_of
from compute_optimizer.engine.arrays import Booleans, Floats
from compute_optimizer.engine.demand import FIT_TOLERANCE
from compute_optimizer.engine.failures import FailureShare, rises
from compute_optimizer.engine.prediction import SATURATED_PERCENT, SATURATED_SHARE
from compute_optimizer.engine.replay import Move, Replay
from compute_optimizer.engine.usage import count_samples
from compute_optimizer.model.metrics import Matrix, ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.resources.resource_type import ResourceType


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What became of the advice of one origin, or of several."""

    arns: np.ndarray
    violated: Booleans
    """(resources, dimensions): demand exceeded what was advised, and not what there was."""
    clipped: Booleans
    """At the ceiling before the origin: the demand is known from below only."""
    unseen: Booleans
    """Without any sample after the origin."""
    moved: Booleans
    reduced: Booleans
    """Advised less in some dimension."""
    now_usd: Floats
    """A month; NaN where unknown."""
    advised_usd: Floats
    failures_seen: Booleans
    """(resources, shares of failures of the type): counted before the origin and after it."""
    failures_rose: Booleans
    """Clearly more failed after the origin, though nothing was changed for it."""

    def counted(self) -> "Outcomes":
        """Return the outcomes that count for violations and savings."""
        return _rows(self, ~self.clipped)


def judged(
    kind: ResourceType,
    resources: Sequence[Any],
    before: ShardSamples,
    after: ShardSamples,
    origin: date,
    preferences: Preferences,
) -> Outcomes:
    """Return what became of the advice as of the beginning of a day; the rows of both agree."""
    replay, catalog = kind.replay, kind.catalog()
    assert replay is not None, f"{kind.name} is not replayed"
    as_of = datetime.combine(origin, time(), UTC)
    found = kind.recommend(resources, before, catalog, as_of=as_of, preferences=preferences)
    row_of = {one.arn: row for row, one in enumerate(resources)}
    told = [
        (row_of[one.resource_arn], move)
        for one in found.recommendations
        if (move := replay.move(resources[row_of[one.resource_arn]], one, catalog))
    ]
    rows = [row for row, _ in told]
    some = [resources[row] for row in rows]
    past, coming = before.rows(rows), after.rows(rows)
    return _outcomes(
        replay,
        np.array([one.arn for one in some], dtype=object),
        [move for _, move in told],
        replay.demand(some, past, catalog),
        replay.demand(some, coming, catalog),
        rises(kind.failures, past, coming),
    )


def _outcomes(
    replay: Replay,
    arns: np.ndarray,
    moves: Sequence[Move],
    past: Mapping[str, Matrix],
    coming: Mapping[str, Matrix],
    failures: tuple[Booleans, Booleans],
) -> Outcomes:
    shape = (len(moves), len(replay.dimensions))
    now = np.array([move.now for move in moves], np.float64).reshape(shape)
    advised = np.array([move.advised for move in moves], np.float64).reshape(shape)
    violated, clipped = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    seen = np.zeros(len(moves), np.bool_)
    for place, dimension in enumerate(replay.dimensions):
        if dimension.name in past:
            clipped[:, place] = _at_ceiling(past[dimension.name], now[:, place])
        if dimension.name in coming:
            demand, forgiven = coming[dimension.name], dimension.forgiven
            seen |= count_samples(demand) > 0
            violated[:, place] = _exceeds(demand, advised[:, place], forgiven) & ~_exceeds(
                demand, now[:, place], forgiven
            )
    usd = [(move.now_usd, move.advised_usd) for move in moves]
    prices = np.array(usd, np.float64).reshape(len(moves), 2)
    return Outcomes(
        arns=arns,
        violated=violated,
        clipped=np.any(clipped, axis=1, keepdims=False),
        unseen=~seen,
        moved=np.array([move.now != move.advised for move in moves], np.bool_),
        reduced=np.any(advised < now, axis=1, keepdims=False),
        now_usd=prices[:, 0],
        advised_usd=prices[:, 1],
        failures_seen=failures[0],
        failures_rose=failures[1],
    )


def _at_ceiling(demand: Matrix, capacity: Floats) -> Booleans:
    """Return whose samples lie at the ceiling too often to tell the demand, (resources,)."""
    ceiling = (capacity * SATURATED_PERCENT / 100 * (1 - FIT_TOLERANCE)).astype(np.float32)
    above = np.count_nonzero(demand >= ceiling[:, None], axis=1)
    often: Booleans = above > SATURATED_SHARE * count_samples(demand)
    return often


def _exceeds(demand: Matrix, capacity: Floats, forgiven: float) -> Booleans:
    """Return where demand exceeds the capacity in more samples than are forgiven."""
    limits = (capacity * (1 + FIT_TOLERANCE)).astype(np.float32)
    above = np.count_nonzero(demand > limits[:, None], axis=1)
    exceeds: Booleans = above > forgiven * count_samples(demand)
    return exceeds


def joined(parts: Sequence[Outcomes]) -> Outcomes:
    """Return the outcomes of several batches or origins as one."""
    names = [field.name for field in fields(Outcomes)]
    return Outcomes(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))


def _rows(outcomes: Outcomes, rows: Booleans) -> Outcomes:
    names = [field.name for field in fields(Outcomes)]
    return Outcomes(*(getattr(outcomes, name)[rows] for name in names))


def scores(outcomes: Outcomes, replay: Replay, seed: int, origins: int = 1) -> dict[str, Any]:
    """Return how often the advice would have hurt, and what it would have saved.

    One resource at several origins is not several resources: the intervals count it once, and
    money is that of the mean origin.
    """
    counted = outcomes.counted()
    number = len(counted.arns)
    hurt = counted.violated.any(axis=1)
    resources = len(np.unique(counted.arns.astype(str)))
    share = int(hurt.sum()) / number if number else 0.0
    return {
        "judged": len(outcomes.arns),
        "clipped": int(outcomes.clipped.sum()),
        "scored": number,
        "without_test_samples": int(counted.unseen.sum()),
        "moved": int(counted.moved.sum()),
        "reduced": int(counted.reduced.sum()),
        "violated": int(hurt.sum()),
        "violations": share,
        "violations_interval": list(wilson(share * resources, resources)),
        "violations_of_reduced": share_of(hurt & counted.reduced, counted.reduced),
        "violations_by_dimension": {
            dimension.name: int(counted.violated[:, place].sum())
            for place, dimension in enumerate(replay.dimensions)
        },
        **_money(counted, seed, origins),
    }


def failures_of(outcomes: Outcomes, shares: Sequence[FailureShare]) -> list[dict[str, Any]]:
    """Return of how many resources more failed in the test window than before, left as they were.

    That is what chance and other causes come to: what is left to hold real changes against, since
    nobody saw what would have failed at another size.
    """
    return [{"name": share.name, **_risen(outcomes, place)} for place, share in enumerate(shares)]


def _risen(outcomes: Outcomes, place: int) -> dict[str, Any]:
    seen = outcomes.failures_seen[:, place]
    rose = seen & outcomes.failures_rose[:, place]
    resources = len(np.unique(outcomes.arns[seen].astype(str)))
    share = share_of(rose, seen)
    interval = wilson((share or 0.0) * resources, resources)
    return {
        "seen": int(seen.sum()),
        "rose": int(rose.sum()),
        "share": share,
        "interval": None if share is None else list(interval),
    }


def _money(counted: Outcomes, seed: int, origins: int) -> dict[str, Any]:
    """Return the savings of those whose prices are known, with a bootstrap interval."""
    known = np.isfinite(counted.now_usd) & np.isfinite(counted.advised_usd)
    now, advised = counted.now_usd[known], counted.advised_usd[known]
    _, places = np.unique(counted.arns[known].astype(str), return_inverse=True)
    draws = resample(np.asarray(places, np.int64), seed)
    total = float(now.sum())
    return {
        "unpriced": int((~known).sum()),
        "monthly_usd_now": total / origins,
        "monthly_usd_saved": (total - float(advised.sum())) / origins,
        "savings": 1 - float(advised.sum()) / total if total else 0.0,
        "savings_interval": _savings_interval(draws, now, advised),
    }


def _savings_interval(draws: Resampled, now: Floats, advised: Floats) -> list[float] | None:
    with np.errstate(invalid="ignore", divide="ignore"):
        return middle_95(1 - draws.total(advised) / draws.total(now))
