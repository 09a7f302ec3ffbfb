"""From what volumes ask for and might be to the arrays that decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from compute_optimizer.catalog.volume_types import VolumeTypes
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.engine.demand import FIT_TOLERANCE, OTHER_PERCENTILE
from compute_optimizer.engine.obstacles import (
    INSUFFICIENT_METRIC_DATA,
    RECOMMENDATION_NOT_FOUND,
    UNSUPPORTED_RESOURCE,
    Obstacle,
)
from compute_optimizer.engine.ranking import MAX_OPTIONS, NONE
from compute_optimizer.engine.risk import overall, scores
from compute_optimizer.engine.savings import WORTHWHILE_USD
from compute_optimizer.engine.statistics import count_above
from compute_optimizer.engine.usage import MINIMUM_SAMPLES, dimension_rows
from compute_optimizer.model.ebs_volume import IN_USE, EbsVolume
from compute_optimizer.model.metrics import ShardSamples
from compute_optimizer.model.preferences import Preferences
from compute_optimizer.resources.ebs.configurations import (
    NOT_OFFERED,
    UNKNOWN_TYPE,
    Choices,
    Configurations,
    choices_for,
    present,
)
from compute_optimizer.resources.ebs.demand import DIMENSIONS, SCALES, VolumeDemand, demand_of

NOT_CHEAPER = "saves nothing"
RISKIER = "cheaper, but of a higher risk"
OTHERS_BETTER = "something else is better"


@dataclass(frozen=True, slots=True, eq=False)
class VolumeAnalysis:
    """Every intermediate array of one shard of volumes."""

    demand: VolumeDemand
    now: Configurations
    choices: Choices
    not_worth: Mapping[str, Booleans]
    """By reason, (volumes, choices): why what would do is no option."""
    under: Booleans
    """(volumes, dimensions): the demand fails, and some choice carries it."""
    not_optimized: Booleans
    """(volumes,)."""
    current_risk: Floats
    """(volumes,): 0 to 4."""
    risks: Floats
    """(volumes, choices): 0 to 4, the highest over the dimensions."""
    risks_by_dimension: Floats
    """(volumes, choices, dimensions)."""
    ranked: Integers
    """(volumes, MAX_OPTIONS): choices, best first; NONE where there are fewer."""
    idle: Booleans
    """(volumes,)."""
    obstacles: tuple[Obstacle | None, ...]
    """(volumes,): None where there is a recommendation."""


def analyze(
    volumes: Sequence[EbsVolume],
    samples: ShardSamples,
    types: VolumeTypes,
    preferences: Preferences,
) -> VolumeAnalysis:
    """Return every array that decides; the volumes are in the row order of the samples."""
    measured = demand_of(samples, preferences)
    now = present(volumes, types, measured)
    demand = _uncensored(measured, now, preferences.other_headroom)
    choices = choices_for(volumes, now, types, demand)
    by_dimension = _risks(demand, choices.all, preferences.other_headroom)
    risks = overall(by_dimension)
    current_risk = risks[:, -1]
    others: Booleans = np.any(choices.allowed[:, :-1], axis=1)
    under: Booleans = _fails(demand, now) & others[:, np.newaxis]
    must_move = under.any(axis=1) | (others & (now.types == types.index[NOT_OFFERED]))
    better = _better(choices, now, risks, current_risk)
    not_optimized = must_move | better.any(axis=1)
    worth = choices.allowed & (must_move[:, None] | better | _newer(choices, now, types))
    # What there is today is an option only where nothing is better (spec 15, question 18).
    worth[:, -1] = ~worth[:, :-1].any(axis=1)
    return VolumeAnalysis(
        demand=demand,
        now=now,
        choices=choices,
        not_worth=_not_worth(worth, _cheaper(choices, now)),
        under=under,
        not_optimized=not_optimized,
        current_risk=current_risk,
        risks=risks,
        risks_by_dimension=by_dimension,
        ranked=_ranked(choices.all, risks, worth),
        idle=demand.quiet & ~np.array([one.root for one in volumes], dtype=np.bool_),
        obstacles=_obstacles(volumes, now, demand),
    )


def _uncensored(demand: VolumeDemand, now: Configurations, headroom: float) -> VolumeDemand:
    """Return the demand with all that a volume can do where it was asked for more than that.

    Samples of five minutes do not show a limit that is reached for seconds; the checks do.
    """
    least = np.stack([now.iops, now.throughput], axis=1) / (1 - headroom)
    lifted = np.where(demand.exceeded, np.fmax(demand.required, least), demand.required)
    return replace(demand, required=lifted)


def _fails(demand: VolumeDemand, now: Configurations) -> Booleans:
    """Return where the demand exceeds what the volume can do all the time."""
    capacity = np.stack([now.iops, now.throughput], axis=1)
    asks: Booleans = demand.required * (1 - FIT_TOLERANCE) > capacity
    return asks


def _better(choices: Choices, now: Configurations, risks: Floats, current_risk: Floats) -> Booleans:
    """Return which choices save money at no higher risk, (volumes, choices)."""
    lower = risks <= current_risk[:, None]
    found: Booleans = choices.allowed & _cheaper(choices, now) & lower
    return found


def _cheaper(choices: Choices, now: Configurations) -> Booleans:
    saved = now.monthly_usd[:, None] - choices.all.monthly_usd
    found: Booleans = saved >= WORTHWHILE_USD
    return found


def _not_worth(worth: Booleans, cheaper: Booleans) -> dict[str, Booleans]:
    """Return by reason which choices would do and are no options, (volumes, choices)."""
    today = np.arange(worth.shape[1]) == worth.shape[1] - 1
    return {
        NOT_CHEAPER: ~worth & ~cheaper & ~today,
        RISKIER: ~worth & cheaper & ~today,
        OTHERS_BETTER: ~worth & today,
    }


def _newer(choices: Choices, now: Configurations, types: VolumeTypes) -> Booleans:
    """Return which choices are of the newer generation and, as far as known, cost no more."""
    successors = [one.successor and types.index[one.successor] for one in types.types]
    newer = np.array([UNKNOWN_TYPE if one is None else one for one in successors])[now.types]
    dearer = choices.all.monthly_usd > now.monthly_usd[:, None]
    found: Booleans = (choices.all.types == newer[:, None]) & (newer != UNKNOWN_TYPE)[:, None]
    return found & ~dearer


def _ranked(every: Configurations, risks: Floats, worth: Booleans) -> Integers:
    """Return the best choices: the lowest price, the lower risk, then the catalog's order."""
    price = np.where(np.isnan(every.monthly_usd), np.inf, every.monthly_usd)
    order = np.lexsort((every.types, risks, price, ~worth), axis=1)[:, :MAX_OPTIONS]
    return np.where(np.take_along_axis(worth, order, axis=1), order, NONE)


def _risks(demand: VolumeDemand, every: Configurations, headroom: float) -> Floats:
    """Return the risk of every choice in each dimension, (volumes, choices, dimensions).

    What fits lies below its limits but for the samples that the threshold forgives, and those are
    all in the tail; of what does not fit only today's configuration is judged by all samples.
    """
    found = []
    for place, capacity in enumerate((every.iops, every.throughput)):
        used = demand.usage.dimensions[place]
        full = capacity * (1 + FIT_TOLERANCE) / SCALES[place]
        limits = full, full * (1 - headroom)
        shortage, tight = (count_above(used.tail, limit) for limit in limits)
        rows = np.flatnonzero(tight[:, -1] >= used.tail.shape[1])
        if demand.chosen.parts(DIMENSIONS[place]) and len(rows):
            series = dimension_rows(demand.chosen, DIMENSIONS[place], rows)
            for counts, limit in zip((shortage, tight), limits, strict=True):
                counts[rows, -1] = count_above(series, limit[rows, -1:])[:, 0]
        found.append(scores(shortage, tight, used.counts[:, None], OTHER_PERCENTILE))
    return np.stack(found, axis=2)


def _obstacles(
    volumes: Sequence[EbsVolume], now: Configurations, demand: VolumeDemand
) -> tuple[Obstacle | None, ...]:
    known = (now.types != UNKNOWN_TYPE) & (now.gib > 0)
    # Thirty hours in a row, for which the volume was attached (spec 2.1).
    measured = demand.longest_run >= MINIMUM_SAMPLES
    rows = zip(volumes, known.tolist(), measured.tolist(), strict=True)
    return tuple(_obstacle(one.state == IN_USE, *facts) for one, *facts in rows)


def _obstacle(attached: bool, known: bool, measured: bool) -> Obstacle | None:
    if not known:
        return UNSUPPORTED_RESOURCE
    if not attached:
        # Detaching removes the recommendation (spec 2.1).
        return RECOMMENDATION_NOT_FOUND
    return None if measured else INSUFFICIENT_METRIC_DATA
