"""The rules of the service and of its peers, re-created: what each asks for of every dimension.

Every function takes what was seen and returns the capacity asked for, (resources, dimensions); NaN
asks for nothing. The constants are those of the rules' owners (docs/backtest.md).
"""

from collections.abc import Callable, Mapping

import numpy as np

from compute_optimizer.backtest.fleet import CPU, MEMORY, NETWORK
from compute_optimizer.backtest.histogram import Buckets, decayed_percentile
from compute_optimizer.backtest.trial import Train
from compute_optimizer.engine.arrays import Floats
from compute_optimizer.engine.demand import CPU as CPU_NAME
from compute_optimizer.engine.demand import MEMORY as MEMORY_NAME
from compute_optimizer.engine.demand import demand_of, percentiles
from compute_optimizer.engine.dimensions import Dimension
from compute_optimizer.engine.statistics import BLOCK_ROWS, percentile, tail_depth, upper_tail
from compute_optimizer.engine.usage import DimensionUsage, Usage
from compute_optimizer.model.metrics import SLOTS_PER_DAY, SLOTS_PER_HOUR, Matrix
from compute_optimizer.model.preferences import Preferences

Rule = Callable[[Matrix], Floats]
"""From one dimension's demand (resources, slots) to the capacity asked for, (resources,)."""

ENGINE_NAMES = {CPU: CPU_NAME, MEMORY: MEMORY_NAME}
"""The engine knows its preferences by these."""


def keep(train: Train) -> Floats:
    """Ask for the current capacity."""
    return train.current


def published_rule(train: Train, *, percent: float, headroom: float) -> Floats:
    """Ask for what the engine asks for under the published profile, by the engine's own code."""
    preferences = Preferences(cpu_percentile=percent, cpu_headroom=headroom)
    dimensions = [_engine_dimension(name) for name in train.dimensions]
    thresholds = percentiles(dimensions, preferences)
    used = tuple(
        _usage(matrix, threshold)
        for matrix, threshold in zip(train.demand.values(), thresholds, strict=True)
    )
    # A percentage of a capacity of 100 is the demand itself.
    capacity = np.full(train.current.shape, 100.0)
    required = demand_of(Usage(used, {}), dimensions, capacity, preferences).required
    return _memory_never_reduced_blindly(train, required)


def quantile(train: Train, *, percent: float) -> Floats:
    """Ask for a percentile of every dimension; of memory, for its maximum."""
    rules = {MEMORY: _maximum}
    needs = _each(train, rules, lambda matrix: _percentile(matrix, percent))
    return _memory_never_reduced_blindly(train, needs)


def maximum(train: Train) -> Floats:
    """Ask for the maximum of every dimension."""
    return _memory_never_reduced_blindly(train, _each(train, {}, _maximum))


def azure(train: Train) -> Floats:
    """Ask as Azure Advisor does of machines that face no users.

    7 days of 30-minute maxima; P95 of CPU and network, the maximum of memory, each at most 80 %.
    """
    return _azure(train, 0.8, 0.8)


def azure_user_facing(train: Train) -> Floats:
    """Ask as Azure Advisor does of machines that face users: at most 40 %, memory 60 %."""
    return _azure(train, 0.4, 0.6)


def _azure(train: Train, used: float, memory_used: float) -> Floats:
    def p95(matrix: Matrix) -> Floats:
        return _percentile(_blocks(matrix, 30, np.fmax), 95) / used

    rules: Mapping[str, Rule] = {
        CPU: p95,
        NETWORK: p95,
        MEMORY: lambda matrix: _maximum(matrix) / memory_used,
    }
    return _each(train.last_days(7), rules)


def vpa(train: Train) -> Floats:
    """Ask for the target of the Kubernetes Vertical Pod Autoscaler.

    8 days in histograms that forget half a day's weight in 24 hours; P90 plus 15 %, at the end of
    its bucket; of memory the daily peaks count.
    """
    rules: Mapping[str, Rule] = {
        CPU: lambda m: decayed_percentile(m, SLOTS_PER_DAY, 90, Buckets(0.01)) * 1.15,
        MEMORY: lambda m: (
            decayed_percentile(_blocks(m, 24 * 60, np.fmax), 1, 90, Buckets(1e7 / 2**20)) * 1.15
        ),
    }
    return _each(train.last_days(8), rules)


def krr(train: Train) -> Floats:
    """Ask as KRR's simple strategy: P95 of CPU, the maximum of memory plus 15 %; 14 days."""
    rules: Mapping[str, Rule] = {
        CPU: lambda matrix: _percentile(matrix, 95),
        MEMORY: lambda matrix: _maximum(matrix) * 1.15,
    }
    return _each(train.last_days(14), rules)


def crane(train: Train) -> Floats:
    """Ask as Crane: decaying P99 plus 15 % over 7 days; half-life 24 hours, of memory 48."""
    rules: Mapping[str, Rule] = {
        CPU: lambda m: decayed_percentile(m, SLOTS_PER_DAY, 99, Buckets(0.01)) * 1.15,
        MEMORY: lambda m: decayed_percentile(m, 2 * SLOTS_PER_DAY, 99, Buckets(1e7 / 2**20)) * 1.15,
    }
    return _each(train.last_days(7), rules)


def optscale(train: Train) -> Floats:
    """Ask as OptScale: P99 of 15-minute averages over 3 days at 80 %, one vCPU or an even number.

    It looks at no memory; staying in the family, memory shrinks with the vCPUs.
    """
    averages = _blocks(train.last_days(3).demand[CPU], 15, np.add)
    vcpus = np.ceil(_percentile(averages, 99) / 0.8)
    vcpus = np.where(vcpus <= 1, 1, 2 * np.ceil(vcpus / 2))
    share = vcpus / train.current[:, train.dimensions.index(CPU)]
    return train.current * share[:, None]


def aws_solution(train: Train) -> Floats:
    """Ask as the solution "EC2 Right Sizing": whole vCPUs for the maximum, memory as it is.

    Only where the maximum of the CPU is below 50 %.
    """
    needs = train.current.copy()
    place = train.dimensions.index(CPU)
    peak = _maximum(train.last_days(14).demand[CPU])
    quiet = peak < 0.5 * train.current[:, place]
    needs[quiet, place] = np.ceil(peak[quiet])
    return needs


def kubecost(train: Train) -> Floats:
    """Ask as Kubecost's request sizing: the maximum of CPU and memory at 70 %."""
    rules: Mapping[str, Rule] = {
        CPU: lambda matrix: _maximum(matrix) / 0.7,
        MEMORY: lambda matrix: _maximum(matrix) / 0.7,
    }
    return _each(train, rules)


def densify(train: Train) -> Floats:
    """Ask as Densify's default policy: the peak of a predicted day at 70 %, memory at 90 %.

    The predicted day is read as the upper quartile of the samples of every hour of the day; the
    vendor does not say which quartile counts.
    """
    rules: Mapping[str, Rule] = {
        CPU: lambda matrix: _predicted_day_peak(matrix) / 0.7,
        MEMORY: lambda matrix: _predicted_day_peak(matrix) / 0.9,
    }
    return _memory_never_reduced_blindly(train, _each(train.last_days(60), rules))


def n_sigma(train: Train) -> Floats:
    """Ask for the mean plus five standard deviations of the last 24 samples (two hours)."""
    return _each(train, {}, _n_sigma)


def n_sigma_or_p99(train: Train) -> Floats:
    """Ask for the larger of n-sigma and P99, as the "max" predictor of the same authors."""
    return np.fmax(n_sigma(train), _each(train, {}, lambda matrix: _percentile(matrix, 99)))


def seasonal_naive(train: Train, *, weeks: int) -> Floats:
    """Ask for the highest of the same slots, 30 minutes around, of the last weeks.

    Over all slots of the coming weeks that is the maximum of the last weeks.
    """
    return maximum(train.last_days(7 * weeks))


def _each(train: Train, rules: Mapping[str, Rule], other: Rule | None = None) -> Floats:
    """Return every dimension by its own rule, or by the other; without either, ask for nothing."""
    needs = np.full(train.current.shape, np.nan)
    for place, (name, matrix) in enumerate(train.demand.items()):
        rule = rules.get(name, other)
        if rule is not None:
            needs[:, place] = rule(matrix)
    return needs


def _engine_dimension(name: str) -> Dimension:
    return Dimension(
        ENGINE_NAMES.get(name, name), "", (name,), lambda types: types.vcpus, percentage=True
    )


def _usage(matrix: Matrix, percent: float) -> DimensionUsage:
    depth = tail_depth(matrix.shape[1], percent)
    parts = [
        upper_tail(matrix[start : start + BLOCK_ROWS], depth)
        for start in range(0, len(matrix), BLOCK_ROWS)
    ]
    if not parts:
        return DimensionUsage(np.empty((0, depth), np.float32), np.empty(0, np.int64))
    tails, counts = zip(*parts, strict=True)
    return DimensionUsage(np.concatenate(tails), np.concatenate(counts))


def _percentile(matrix: Matrix, percent: float) -> Floats:
    used = _usage(matrix, percent)
    return percentile(used.tail, used.counts, percent)


def _maximum(matrix: Matrix) -> Floats:
    peaks: Floats = np.fmax.reduce(matrix, axis=1).astype(np.float64)
    return peaks


def _memory_never_reduced_blindly(train: Train, needs: Floats) -> Floats:
    """Ask for the memory of today where nothing is known of its use."""
    if MEMORY not in train.dimensions:
        return needs
    place = train.dimensions.index(MEMORY)
    kept = needs.copy()
    kept[:, place] = np.where(np.isnan(needs[:, place]), train.current[:, place], needs[:, place])
    return kept


def _blocks(matrix: Matrix, minutes: int, how: np.ufunc) -> Matrix:
    """Return maxima (np.fmax) or means (np.add) of whole blocks of minutes, NaN where empty."""
    width = minutes * SLOTS_PER_HOUR // 60
    blocks = matrix.shape[1] // width
    parts = matrix[:, matrix.shape[1] % width :].reshape(len(matrix), blocks, width)
    if how is np.fmax:
        highest: Matrix = np.fmax.reduce(parts, axis=2)
        return highest
    known = np.isfinite(parts).sum(axis=2)
    with np.errstate(invalid="ignore"):
        means: Matrix = (np.nansum(parts, axis=2) / known).astype(np.float32)
    return means


def _predicted_day_peak(matrix: Matrix) -> Floats:
    days = matrix.shape[1] // SLOTS_PER_DAY
    hours = matrix.reshape(len(matrix), days, 24, SLOTS_PER_HOUR).transpose(0, 2, 1, 3)
    by_hour = hours.reshape(len(matrix) * 24, days * SLOTS_PER_HOUR)
    quartiles = _percentile(by_hour, 75).reshape(len(matrix), 24)
    peaks: Floats = np.fmax.reduce(quartiles, axis=1)
    return peaks


def _n_sigma(matrix: Matrix) -> Floats:
    """Return it over the last 24 slots of the window that have samples, if any."""
    last = matrix[:, -24:].astype(np.float64)
    known = np.maximum(np.isfinite(last).sum(axis=1), 1)
    mean = np.nansum(last, axis=1) / known
    spread = np.sqrt(np.nansum((last - mean[:, None]) ** 2, axis=1) / known)
    return np.where(np.isfinite(last).any(axis=1), mean + 5 * spread, _maximum(matrix))
