"""The coming peak: for each resource and dimension a distribution of the next 14 days' peak.

A *peak* is the level that demand exceeds in no more than FORGIVEN of the samples (memory: never):
a capacity below the coming peak is a violation, the one EVENT of all risks here. The distribution
is that of the ratio of the coming to the last peak, pooled over many resources and stretched by a
scale of each resource's own. So the risk of an option is a survival function at its capacity: more
capacity never means more risk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from compute_optimizer.engine.arrays import Booleans, Floats, Integers, Singles
from compute_optimizer.engine.digests import daily_highest
from compute_optimizer.engine.statistics import percentile, tail_depth, upper_tail
from compute_optimizer.model.metrics import Matrix
from compute_optimizer.model.risk import PeakModel

HORIZON_DAYS = 14
"""Days ahead that a risk speaks of."""

FORGIVEN = 0.001
"""Share of the samples in which demand may exceed the capacity; of memory none may."""

LEAST_SHARE = 0.02
"""Of today's capacity: smaller peaks count as this, for no option is so small."""

DAILY_PERCENTILES = (100.0, 92.0, 75.0, 50.0, 0.0)
"""Of the daily maxima; in 14 days 92 is the second highest."""

FEATURES = (*(f"daily P{percent:g}" for percent in DAILY_PERCENTILES), "daily spread")
"""Logarithms of daily maxima over the peak, and their standard deviation over the days."""

LEAST_DAYS = 3
"""Days with samples below which nothing is said of the coming peak."""

LEAST_LESSONS = 30
"""Machines, each counted once a window, below which nothing is fitted: of 30 the rarest thing that
can be told is one in 31."""

SHIFT_LOG_ODDS = 1.5
"""Standard deviation of what a whole fleet's violations may shift together, in log-odds: the one
shift in the public traces (Bitbrains, end of the third quarter of 2013) was as large
(docs/quality.md). Quiet weeks say nothing of the next shift, so no fit makes it smaller."""

NOISE = 0.05
"""Log ratio, 5 %: peaks that differ by less count as equal when scales are fitted."""

RIDGE = 2.0
"""Penalty per fitted row on the squared weights of standardized features."""

FURTHEST = 4.0
"""Standard deviations beyond which a feature counts as no further out."""

KNOTS = 64
"""Of the stored distribution."""

RAREST = 5e-4
"""Probability at the outermost knots."""

QUADRATURE = 15
"""Points at which the normal distribution of the shift is evaluated."""


@dataclass(frozen=True, slots=True, eq=False)
class PeakHistory:
    """What one dimension's samples say of its peaks."""

    peak: Floats
    """(resources,): the last peak, in the unit of the samples; NaN without samples."""
    features: Floats
    """(resources, FEATURES)."""
    days: Integers
    """(resources,): days with samples."""

    def of(self, rows: Integers | Booleans) -> "PeakHistory":
        """Return the history of some of the resources."""
        return PeakHistory(self.peak[rows], self.features[rows], self.days[rows])


def peak_of(series: Matrix, forgiven: float) -> Floats:
    """Return the peak of each row, (rows,); NaN where there is no sample."""
    tail, counts = upper_tail(series, _peak_depth(series.shape[1], forgiven))
    return peak_in(tail, counts, forgiven)


def peak_in(tail: Singles, counts: Integers, forgiven: float) -> Floats:
    """Return the peak of each row from its largest samples, descending."""
    place = np.floor(forgiven * counts + 1e-9).astype(np.int64)
    place = np.minimum(place, tail.shape[1] - 1)
    found = np.take_along_axis(tail, place[:, None], axis=1)[:, 0].astype(np.float64)
    return np.where(counts > 0, found, np.nan)


def _peak_depth(slots: int, forgiven: float) -> int:
    return min(slots, tail_depth(slots, 100 * (1 - forgiven)))


def history_of(series: Matrix, peak: Floats, capacity: Floats) -> PeakHistory:
    """Return the history of samples (resources, slots) of whole days.

    `peak` (resources,) is their peak and `capacity` today's, both in the unit of the samples.
    """
    return history_of_days(daily_highest(series), peak, capacity)


def history_of_days(daily: Singles, peak: Floats, capacity: Floats) -> PeakHistory:
    """Return the same from the highest sample of each day, (resources, days)."""
    days = daily.shape[1]
    least = LEAST_SHARE * capacity
    floored = np.maximum(peak, least)
    ordered, known = upper_tail(daily, days)
    levels = np.stack([percentile(ordered, known, p) for p in DAILY_PERCENTILES], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(np.maximum(daily, least[:, None]) / floored[:, None])
        relative = np.log(np.maximum(levels, least[:, None]) / floored[:, None])
    features = np.column_stack([relative, _deviation(logs)])
    return PeakHistory(floored, np.nan_to_num(features), known)


def _deviation(values: Floats) -> Floats:
    """Return the standard deviation of each row's finite values; zero of none."""
    present: Booleans = np.isfinite(values)
    number = np.maximum(present.sum(axis=1), 1)
    filled = np.where(present, values, 0.0)
    mean = filled.sum(axis=1) / number
    squares = np.where(present, (filled - mean[:, None]) ** 2, 0.0).sum(axis=1)
    found: Floats = np.sqrt(squares / number)
    return found


def log_ratio(history: PeakHistory, coming: Floats, capacity: Floats) -> Floats:
    """Return the logarithm of the coming peak over the last one, (resources,); NaN if unknown."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.log(np.maximum(coming, LEAST_SHARE * capacity) / history.peak)
    return found


def scales(model: PeakModel, history: PeakHistory) -> Floats:
    """Return the scale of each resource's log ratio, (resources,); wider with less history."""
    days, widths = np.array(model.widths).T
    stretched = np.interp(np.log(np.maximum(history.days, 1)), np.log(days), np.log(widths))
    found: Floats = np.exp(_design(model, history.features) @ np.array(model.weights) + stretched)
    return found


def exceedance(model: PeakModel, history: PeakHistory, capacity: Floats) -> Floats:
    """Return the probability that the coming peak exceeds each capacity.

    `capacity` is (options,) or (resources, options) in the unit of the history; the result is
    (resources, options), NaN where the history says too little.
    """
    if capacity.ndim == 1:
        # Many types have the same capacity: each is looked up once.
        capacity, level_of = np.unique(capacity, return_inverse=True)
        return _exceedance(model, history, capacity[None, :])[:, level_of]
    return _exceedance(model, history, capacity)


def _exceedance(model: PeakModel, history: PeakHistory, limits: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log(limits / history.peak[:, None]) / scales(model, history)[:, None]
    return np.where(judged(history)[:, None], _survival(model, ratio), np.nan)


def judged(history: PeakHistory) -> Booleans:
    """Return of which resources there is history enough."""
    known: Booleans = np.isfinite(history.peak) & (history.days >= LEAST_DAYS)
    return known


def _survival(model: PeakModel, ratio: Floats) -> Floats:
    # Beyond the last knot nothing is safer than the rarest thing that the past could show.
    found: Floats = np.interp(ratio, np.array(model.ratios), np.array(model.exceeded), left=1.0)
    return found


def coming_peaks(model: PeakModel, history: PeakHistory, shares: Sequence[float]) -> Floats:
    """Return the peaks that the coming one stays below with each probability.

    `shares` ascend; the result is (resources, shares) in the unit of the history.
    """
    above = 1 - np.array(shares)
    ratio = np.interp(above, np.array(model.exceeded)[::-1], np.array(model.ratios)[::-1])
    peaks = history.peak[:, None] * np.exp(ratio[None, :] * scales(model, history)[:, None])
    return np.where(judged(history)[:, None], peaks, np.nan)


def joint(by_dimension: Sequence[Floats]) -> Floats:
    """Return the probability that any dimension is violated; what is not judged does not count."""
    safe = np.prod([1 - np.nan_to_num(one) for one in by_dimension], axis=0)
    found: Floats = 1 - safe
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One past window of one dimension: what was seen, and what came."""

    history: PeakHistory
    coming: Floats
    """(resources,): log ratio of the coming to the last peak; NaN where unknown."""
    shorter: Mapping[int, tuple[PeakHistory, Floats]]
    """The same as seen from fewer days, by their number."""

    def of(self, rows: Booleans) -> "Lesson":
        """Return the lesson of some of the resources."""
        shorter = {days: (h.of(rows), y[rows]) for days, (h, y) in self.shorter.items()}
        return Lesson(self.history.of(rows), self.coming[rows], shorter)


def fit(lessons: Sequence[Lesson]) -> PeakModel | None:
    """Return the model of past windows; None where they hold too little to learn from."""
    known = [judged(one.history) & np.isfinite(one.coming) for one in lessons]
    if sum(int(rows.sum()) for rows in known) < LEAST_LESSONS:
        return None
    features = np.concatenate([o.history.features[k] for o, k in zip(lessons, known, strict=True)])
    ratios = np.concatenate([one.coming[k] for one, k in zip(lessons, known, strict=True)])
    centre, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = PeakModel(
        centre=tuple(centre.tolist()),
        spread=tuple(spread.tolist()),
        weights=(0.0,) * (1 + len(centre)),
        ratios=(),
        exceeded=(),
        widths=((1.0, 1.0),),
    )
    model = replace(model, weights=_weights(_design(model, features), ratios))
    scale = np.exp(_design(model, features) @ np.array(model.weights))
    knots, exceeded = _distribution(np.sort(ratios / scale))
    most = max(
        int(one.history.days[k].max()) for one, k in zip(lessons, known, strict=True) if k.any()
    )
    widths = (*_widths(model, lessons, most), (float(most), 1.0))
    return replace(model, ratios=knots, exceeded=exceeded, widths=widths)


def _design(model: PeakModel, features: Floats) -> Floats:
    standard = (features - np.array(model.centre)) / np.array(model.spread)
    return np.column_stack([np.ones(len(features)), np.clip(standard, -FURTHEST, FURTHEST)])


def _weights(design: Floats, ratios: Floats) -> tuple[float, ...]:
    """Return the ridge regression of the log of how far the peaks moved; the constant is free."""
    penalty = RIDGE * len(design) * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    moved = np.log(np.abs(ratios) + NOISE)
    found = np.linalg.solve(design.T @ design + penalty, design.T @ moved)
    return tuple(float(weight) for weight in found)


def _distribution(ordered: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return knots and the probabilities above them."""
    number = len(ordered)
    rarest = max(RAREST, 1 / (number + 1))
    log_odds = np.linspace(np.log((1 - rarest) / rarest), -np.log((1 - rarest) / rarest), KNOTS)
    above = 1 / (1 + np.exp(-log_odds))
    rank = np.clip((1 - above) * (number + 1) - 1, 0, number - 1)
    knots = np.interp(rank, np.arange(number), ordered) + 1e-9 * np.arange(KNOTS)
    return tuple(knots.tolist()), tuple(above.tolist())


def _widths(model: PeakModel, lessons: Sequence[Lesson], most: int) -> list[tuple[float, float]]:
    """Return by how much peaks moved more than the scale says, for each shorter history."""
    found = []
    for days in sorted({days for one in lessons for days in one.shorter if days < most}):
        logs = []
        for history, ratios in (one.shorter[days] for one in lessons if days in one.shorter):
            rows = np.isfinite(history.peak) & np.isfinite(ratios)
            moved = np.log(np.abs(ratios[rows]) + NOISE)
            logs.append(moved - np.log(scales(model, history.of(rows))))
        difference = np.concatenate(logs)
        if len(difference):
            found.append((float(days), max(1.0, float(np.exp(difference.mean())))))
    return found


def allowing(model: PeakModel, selection: float, shift: float = SHIFT_LOG_ODDS) -> PeakModel:
    """Return the model with what choosing and a shift of the whole fleet add to every risk.

    `selection` are log-odds: the cheapest option under a cap is the one whose risk is
    underestimated. `shift` is the standard deviation of a fleet-wide shift in log-odds.
    """
    moved = allowed(np.array(model.exceeded), selection, shift)
    return replace(model, exceeded=tuple(moved.tolist()))


def allowed(probability: Floats, selection: float, shift: float = SHIFT_LOG_ODDS) -> Floats:
    """Return probabilities moved by `selection` and averaged over the shift; both log-odds."""
    points, weights = _quadrature()
    inside = np.clip(probability, 1e-12, 1 - 1e-12)
    log_odds = np.log(inside / (1 - inside)) + selection
    moved = 1 / (1 + np.exp(-(log_odds[..., None] + shift * points)))
    found: Floats = moved @ (weights / weights.sum())
    return np.where((probability <= 0) | (probability >= 1), probability, found)


@cache
def _quadrature() -> tuple[Floats, Floats]:
    """Return points of the normal distribution and their weights."""
    points, weights = np.polynomial.hermite_e.hermegauss(QUADRATURE)
    return points, weights
