"""One resource many times over: what-if questions answered by the batched engine in one go."""

from dataclasses import replace

import numpy as np

from compute_optimizer.engine.arrays import Floats, Integers
from compute_optimizer.engine.matching import Fleet
from compute_optimizer.engine.usage import Chosen, DimensionUsage, Usage


def repeated(fleet: Fleet, times: int) -> Fleet:
    """Return a fleet of one as that many equal rows; the samples are shared, not copied."""
    rows = np.zeros(times, dtype=np.int64)
    dimensions = tuple(DimensionUsage(d.tail[rows], d.counts[rows]) for d in fleet.usage.dimensions)
    peaks = {metric: peak[rows] for metric, peak in fleet.usage.peaks.items()}
    return replace(
        fleet,
        currents=fleet.currents * times,
        chosen=_repeated_series(fleet.chosen, times),
        usage=Usage(dimensions, peaks),
        demand=fleet.demand.of(rows),
        prediction=None if fleet.prediction is None else fleet.prediction.of(rows),
    )


def with_demand(fleet: Fleet, places: Integers, demands: Floats) -> Fleet:
    """Return a fleet of one many times, each with another demand of one dimension.

    `places` (trials,) are dimensions and `demands` (trials,) are in their units. All samples of
    the dimension are as many times larger as the demand is.
    """
    found = repeated(fleet, len(places))
    demand, rows = found.demand, np.arange(len(places))
    before = demand.used[rows, places]
    # Without use there is nothing to scale: only the demand itself is set.
    factors = np.divide(demands, before, out=np.ones_like(demands), where=before > 0)
    demand.scale[rows, places] *= factors
    demand.used[rows, places] = demands
    demand.required[rows, places] = demands / (1 - fleet.headrooms[places])
    if found.prediction is not None:
        for place, history in enumerate(found.prediction.histories):
            if history is not None:
                history.peak[places == place] *= factors[places == place]
    return found


def with_capacity(fleet: Fleet, capacity: Floats) -> Fleet:
    """Return a fleet of one many times, on machines of the given (trials, dimensions) capacity."""
    found = repeated(fleet, len(capacity))
    own = found.prediction and replace(found.prediction, own=capacity)
    return replace(found, demand=replace(found.demand, capacity=capacity), prediction=own)


def _repeated_series(chosen: Chosen, times: int) -> Chosen:
    shape = (times, chosen.slots)
    average = chosen.average_cpu
    return Chosen(
        rows=times,
        slots=chosen.slots,
        series={name: np.broadcast_to(m, shape) for name, m in chosen.series.items()},
        averaged={name: np.broadcast_to(f, times) for name, f in chosen.averaged.items()},
        average_cpu=None if average is None else np.broadcast_to(average, shape),
    )
