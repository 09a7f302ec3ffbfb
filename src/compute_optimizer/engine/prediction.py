"""The predicted peaks of a shard: what they say of every type, and which resources go by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from compute_optimizer.engine import peaks
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import MEMORY, Demand
from compute_optimizer.engine.dimensions import CPU_PLACE, Dimension
from compute_optimizer.engine.peaks import FORGIVEN, PeakHistory
from compute_optimizer.engine.usage import Chosen, Usage, highest_by_day
from compute_optimizer.model.risk import PeakModel

SATURATED_PERCENT = 99.0
"""CPU percent from which a sample is at its ceiling: what was wanted beyond cannot be seen."""

SATURATED_SHARE = 0.005
"""Share of such samples beyond which use says nothing of the demand."""

HORIZON_HOURS = peaks.HORIZON_DAYS * 24


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What is predicted of the resources of a shard; dimensions as in the fleet."""

    models: tuple[PeakModel | None, ...]
    """(dimensions,): None where nothing is predicted."""
    histories: tuple[PeakHistory | None, ...]
    """(dimensions,): in the dimension's unit."""
    judged: Booleans
    """(resources, dimensions): of which the coming peak is predicted."""
    saturated: Booleans
    """(resources,): at the ceiling so long that use is no measure of demand."""
    own: Floats
    """(resources, dimensions): present capacity."""
    risk_cap: float
    """No option may be more likely violated than this."""
    incident_usd: float
    """What one violation within the horizon is held to cost."""

    @property
    def predictable(self) -> Booleans:
        """Which resources go by the prediction, (resources,): the others go by the rule."""
        found: Booleans = self.judged[:, CPU_PLACE] & ~self.saturated
        return found

    def of(self, rows: Integers) -> "Prediction":
        """Return the prediction of some of the resources."""
        return replace(
            self,
            histories=tuple(None if h is None else h.of(rows) for h in self.histories),
            judged=self.judged[rows],
            saturated=self.saturated[rows],
            own=self.own[rows],
        )

    def by_dimension(self, capacity: Floats) -> Floats:
        """Return the risk of capacities (resources, options, dimensions), of the same shape.

        Zero where a capacity is no smaller than today's: demand was never seen beyond that, so
        there is no more harm to predict. NaN where nothing is predicted, or a capacity is unknown.
        """
        found = np.full(capacity.shape, np.nan)
        for place, (model, history) in enumerate(zip(self.models, self.histories, strict=True)):
            if model is not None and history is not None:
                found[:, :, place] = peaks.exceedance(model, history, capacity[:, :, place])
        found = np.where(capacity >= self.own[:, None, :], 0.0, found)
        return np.where(self.judged[:, None, :] & ~np.isnan(capacity), found, np.nan)

    def excess(self, capacity: Floats) -> Floats:
        """Return the probability that a type hurts where today's would not, (resources, types).

        `capacity` is (types, dimensions). A dimension in which a type is no smaller than today
        adds nothing.
        """
        safe = np.ones((len(self.own), len(capacity)))
        for place, (model, history) in enumerate(zip(self.models, self.histories, strict=True)):
            if model is None or history is None:
                continue
            # Types share few levels of capacity: each is looked up once, if it is anyone's less.
            levels, level_of = np.unique(capacity[:, place], return_inverse=True)
            smaller = self.judged[:, place, None] & (levels < self.own[:, place, None])
            less = np.flatnonzero(smaller.any(axis=0))
            kept = np.ones(smaller.shape)
            risk = np.nan_to_num(peaks.exceedance(model, history, levels[None, less]))
            kept[:, less] -= np.where(smaller[:, less], risk, 0.0)
            safe *= kept[:, level_of]
        return 1 - safe


def predict(
    chosen: Chosen,
    usage: Usage,
    demand: Demand,
    dimensions: Sequence[Dimension],
    models: Mapping[str, PeakModel],
    *,
    risk_cap: float,
    incident_usd: float,
) -> Prediction:
    """Return what is predicted of the resources from models by dimension name."""
    found = tuple(models.get(dimension.name) for dimension in dimensions)
    histories = tuple(
        None if model is None else _history(chosen, usage, demand, dimension, place)
        for place, (dimension, model) in enumerate(zip(dimensions, found, strict=True))
    )
    known = [
        np.zeros(chosen.rows, np.bool_) if history is None else peaks.judged(history)
        for history in histories
    ]
    return Prediction(
        models=found,
        histories=histories,
        judged=np.stack(known, axis=1) & np.isfinite(demand.capacity),
        saturated=_saturated(usage),
        own=demand.capacity,
        risk_cap=risk_cap,
        incident_usd=incident_usd,
    )


def _history(
    chosen: Chosen, usage: Usage, demand: Demand, dimension: Dimension, place: int
) -> PeakHistory | None:
    if not chosen.tells(dimension):
        return None
    used, scale = usage.dimensions[place], demand.scale[:, place]
    peak = peaks.peak_in(used.tail, used.counts, forgiven(dimension))
    with np.errstate(invalid="ignore", divide="ignore"):
        # In units of the samples, so that the samples need not be multiplied.
        capacity = demand.capacity[:, place] / scale
    daily = highest_by_day(chosen, dimension)
    history = peaks.history_of_days(daily, np.where(np.isfinite(peak), peak, np.nan), capacity)
    return replace(history, peak=history.peak * scale)


def forgiven(dimension: Dimension) -> float:
    """Return the share of the samples in which demand may exceed the capacity."""
    return 0.0 if dimension.name == MEMORY else FORGIVEN


def _saturated(usage: Usage) -> Booleans:
    """Return whose CPU was at its ceiling too often; a tail is deeper than that share."""
    used = usage.dimensions[CPU_PLACE]
    ceiling = np.count_nonzero(used.tail >= np.float32(SATURATED_PERCENT), axis=1)
    found: Booleans = ceiling > SATURATED_SHARE * np.maximum(used.counts, 1)
    return found


def worth_it(
    fit: Booleans, risk: Floats, prices: Floats, current_price: float, incident_usd: float
) -> Booleans:
    """Return which of the fitting types are no cheaper than the one of least cost and harm.

    Types ascend in price, all below the current one; arrays are (resources, types). Cheaper types
    than the best save less than their risk costs; where no type is better than today's, none is
    worth it.
    """
    loss = np.where(fit, prices * HORIZON_HOURS + incident_usd * risk, np.inf)
    if not loss.shape[1]:
        return fit
    best = loss.argmin(axis=1)
    better = loss[np.arange(len(loss)), best] < current_price * HORIZON_HOURS
    found: Booleans = fit & better[:, None] & (np.arange(loss.shape[1]) >= best[:, None])
    return found
