"""What volumes are, and what each might be instead: type, size, performance and price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compute_optimizer.catalog.own_prices import OwnPrices
from compute_optimizer.catalog.volume_prices import monthly_prices
from compute_optimizer.catalog.volume_types import (
    Performance,
    VolumeType,
    VolumeTypes,
    needed,
    performance_of,
)
from compute_optimizer.engine.arrays import Booleans, Floats, Integers
from compute_optimizer.model.ebs_volume import EbsVolume
from compute_optimizer.resources.ebs.demand import VolumeDemand

UNKNOWN_TYPE = -1
"""Stands for a volume type that the catalog does not have."""

SEQUENTIAL_BYTES = 256 * 1024
"""Mean bytes of an operation from which a hard disk may carry it: with smaller ones it seeks more
than it reads (assumed; the service states no figure)."""

NOT_OFFERED = "standard"
"""The one type that is only moved away from (spec 2.2)."""

TOO_SMALL = "too small at the most that the type can do"
PREVIOUS = "previous generation"
SEEKS = "hard disk for a root volume or small operations"
AS_IT_IS = "the volume as it is"
UNKNOWN = "the volume's type is unknown"


@dataclass(frozen=True, slots=True, eq=False)
class Configurations:
    """One configuration for each volume, (volumes,), or several, (volumes, choices)."""

    types: Integers
    """Places in the catalog, or UNKNOWN_TYPE."""
    gib: Floats
    iops: Floats
    burst_iops: Floats
    throughput: Floats
    burst_throughput: Floats
    monthly_usd: Floats
    """NaN where unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """The configurations that volumes might have; the last is what each has."""

    all: Configurations
    """(volumes, choices)."""
    refused: Mapping[str, Booleans]
    """By reason, in the order in which they are told, (volumes, choices)."""

    @property
    def allowed(self) -> Booleans:
        """Return what carries the demand and the volume may become, (volumes, choices)."""
        found: Booleans = ~np.any(np.stack(list(self.refused.values())), axis=0)
        return found


def present(
    volumes: Sequence[EbsVolume], types: VolumeTypes, demand: VolumeDemand
) -> Configurations:
    """Return what each volume is, (volumes,); an unknown type has NaN throughout."""
    places = np.array([types.index.get(one.instance_type, UNKNOWN_TYPE) for one in volumes])
    gib = np.array([float(one.size_gib) for one in volumes])
    iops = _stated([one.iops for one in volumes])
    throughput = _stated([one.throughput_mibps for one in volumes])
    found = np.full((6, len(volumes)), np.nan)
    for place in np.unique(places[places != UNKNOWN_TYPE]):
        rows = np.flatnonzero(places == place)
        kind = types.types[place]
        here = performance_of(kind, gib[rows], iops[rows], throughput[rows])
        price = _prices(kind, volumes, rows, gib[rows], here, demand, types.own_prices)
        found[:, rows] = _figures(gib[rows], here, price)
    return Configurations(places, *found)


def choices_for(
    volumes: Sequence[EbsVolume], now: Configurations, types: VolumeTypes, demand: VolumeDemand
) -> Choices:
    """Return the smallest configuration of every type that carries the demand, then today's.

    A volume keeps its size or grows, for EBS cannot shrink one; it never moves to a previous
    generation, and hard disks carry no root volume and no small operations.
    """
    kinds = [kind for kind in types.types if kind.name != NOT_OFFERED]
    needs = np.nan_to_num(demand.required)
    built = [_choice(kind, volumes, now, needs, demand, types.own_prices) for kind in kinds]
    figures = np.stack([found for found, _ in built], axis=2)
    places = np.array([types.index[kind.name] for kind in kinds])
    root = np.array([one.root for one in volumes], dtype=np.bool_)
    seeks = ~(demand.mean_operation_bytes >= SEQUENTIAL_BYTES) | root
    previous = np.array([kind.successor is not None for kind in kinds])
    disks = np.array([kind.hard_disk and kind.successor is None for kind in kinds])
    refused = {
        TOO_SMALL: ~np.stack([feasible for _, feasible in built], axis=1),
        PREVIOUS: previous & (now.types[:, None] != places),
        SEEKS: disks & seeks[:, None],
    }
    return _with_present(now, places, figures, refused)


def _choice(
    kind: VolumeType,
    volumes: Sequence[EbsVolume],
    now: Configurations,
    needs: Floats,
    demand: VolumeDemand,
    own: OwnPrices,
) -> tuple[Floats, Booleans]:
    """Return the figures of one type, (figures, volumes), and where they carry the demand."""
    found = needed(kind, now.gib, needs[:, 0], needs[:, 1])
    rows = np.arange(len(volumes))
    price = _prices(kind, volumes, rows, found.gib, found.performance, demand, own)
    return _figures(found.gib, found.performance, price), found.feasible


def _with_present(
    now: Configurations, places: Integers, figures: Floats, refused: dict[str, Booleans]
) -> Choices:
    """Return the choices with today's configuration as the last one; the others differ from it."""
    today = _figures_of(now)[:, :, None]
    same_type = places == now.types[:, None]
    same = same_type & (figures[:5] == today[:5]).all(axis=0)
    types = np.concatenate([np.broadcast_to(places, same_type.shape), now.types[:, None]], axis=1)
    every = np.concatenate([figures, today], axis=2)
    nothing = np.zeros((len(now.types), 1), np.bool_)
    whole = {
        reason: np.concatenate([against, nothing], axis=1)
        for reason, against in (refused | {AS_IT_IS: same}).items()
    }
    unknown = np.broadcast_to((now.types == UNKNOWN_TYPE)[:, None], types.shape)
    return Choices(Configurations(types, *every), whole | {UNKNOWN: unknown})


def _prices(
    kind: VolumeType,
    volumes: Sequence[EbsVolume],
    rows: Integers,
    gib: Floats,
    performance: Performance,
    demand: VolumeDemand,
    own: OwnPrices,
) -> Floats:
    """Return the prices of some of the volumes, were they of that type, shape of `rows`."""
    regions = np.array([volumes[row].region for row in rows.tolist()])
    prices = np.full(len(rows), np.nan)
    for region in np.unique(regions).tolist():
        here = np.flatnonzero(regions == region)
        prices[here] = monthly_prices(
            kind,
            region,
            gib=gib[here],
            iops=performance.iops[here],
            throughput=performance.throughput[here],
            monthly_operations=demand.monthly_operations[rows[here]],
            own=own,
        )
    return prices


def _figures(gib: Floats, performance: Performance, price: Floats) -> Floats:
    """Return all figures in the order of Configurations, (figures, volumes)."""
    return np.stack(
        [
            gib,
            performance.iops,
            performance.burst_iops,
            performance.throughput,
            performance.burst_throughput,
            price,
        ]
    )


def _figures_of(one: Configurations) -> Floats:
    return np.stack(
        [
            one.gib,
            one.iops,
            one.burst_iops,
            one.throughput,
            one.burst_throughput,
            one.monthly_usd,
        ]
    )


def _stated(values: Sequence[int | None]) -> Floats:
    return np.array([np.nan if value is None else float(value) for value in values])
