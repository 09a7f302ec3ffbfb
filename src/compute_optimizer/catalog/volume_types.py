"""EBS volume types: what a volume of each can do, by its size and what is provisioned.

Every limit is a number to provision within, or a curve of straight lines over the size or the
IOPS. Arrays are (volumes,) throughout; sizes are GiB, throughput is MiB/s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.catalog.own_prices import NO_OWN_PRICES, OwnPrices
from compute_optimizer.catalog.tables import read_table

VOLUME_TYPES_FILE = "volume_types.json"

ROUNDING = 1e-6
"""What float64 arithmetic may add to a whole number before it is rounded up."""

Figures = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A limit that grows along straight lines; constant before the first and after the last."""

    places: Figures
    values: Figures
    """Never falling."""

    @property
    def most(self) -> float:
        """The highest value."""
        return float(self.values[-1])

    def at(self, place: Figures) -> Figures:
        """Return the values at the places."""
        found: Figures = np.interp(place, self.places, self.values)
        return found

    def reached(self, value: Figures) -> Figures:
        """Return the first places with at least the values; 0 where any place has, inf if none."""
        if len(self.values) == 1:
            return np.where(value <= self.values[0], 0.0, np.inf)
        right = np.clip(np.searchsorted(self.values, value), 1, len(self.values) - 1)
        left = right - 1
        rise = self.values[right] - self.values[left]
        run = self.places[right] - self.places[left]
        share = np.divide(
            value - self.values[left], rise, out=np.zeros(value.shape), where=rise > 0
        )
        found = np.where(value <= self.values[0], 0.0, self.places[left] + share * run)
        return np.where(value > self.most, np.inf, found)


@dataclass(frozen=True, slots=True)
class Provisioned:
    """A number that the owner of a volume chooses."""

    included: float
    """The least, and what a volume has that states none."""
    most: float
    ratio: float
    """At most so much for each GiB (of IOPS), or for each of the IOPS (of throughput)."""


@dataclass(frozen=True, slots=True, eq=False)
class VolumeType:
    """What volumes of one type can do; of each pair one is None."""

    name: str
    least_gib: float
    most_gib: float
    successor: str | None
    """The type of the newer generation."""
    hard_disk: bool
    provisioned_iops: Provisioned | None
    iops_by_gib: Curve | None
    burst_iops_by_gib: Curve | None
    """None where nothing bursts; the same of throughput."""
    provisioned_throughput: Provisioned | None
    throughput_by_gib: Curve | None
    throughput_by_iops: Curve | None
    burst_throughput_by_gib: Curve | None


@dataclass(frozen=True, slots=True)
class VolumeTypes:
    """The catalog of volume types."""

    types: tuple[VolumeType, ...]
    """Ordered by name."""
    index: Mapping[str, int]
    date: date
    source: str
    own_prices: OwnPrices = NO_OWN_PRICES


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """What volumes can do, (volumes,) each."""

    iops: Figures
    burst_iops: Figures
    throughput: Figures
    burst_throughput: Figures


@dataclass(frozen=True, slots=True, eq=False)
class Needed:
    """The smallest volumes of one type that carry a demand, (volumes,) each."""

    feasible: NDArray[np.bool_]
    """The other arrays mean nothing where this is False."""
    gib: Figures
    performance: Performance


@cache
def load_volume_types() -> VolumeTypes:
    """Return the catalog that lies in the package."""
    table = read_table(VOLUME_TYPES_FILE)
    types = tuple(volume_type(name, facts) for name, facts in sorted(table["types"].items()))
    index = MappingProxyType({one.name: place for place, one in enumerate(types)})
    return VolumeTypes(types, index, date.fromisoformat(table["date"]), table["source"])


def performance_of(
    kind: VolumeType, gib: Figures, iops: Figures, throughput: Figures
) -> Performance:
    """Return what volumes of one type can do.

    `iops` and `throughput` are as provisioned, NaN where nothing is stated: then it is what the
    price of the storage includes. They do not count where the type has them by itself.
    """
    if kind.provisioned_iops:
        steady = np.where(np.isnan(iops), kind.provisioned_iops.included, iops)
    else:
        steady = _at(kind.iops_by_gib, gib)
    if kind.provisioned_throughput:
        stated = ~np.isnan(throughput)
        flow = np.where(stated, throughput, kind.provisioned_throughput.included)
    elif kind.throughput_by_iops:
        flow = kind.throughput_by_iops.at(steady)
    else:
        flow = _at(kind.throughput_by_gib, gib)
    return Performance(
        steady,
        np.maximum(steady, _at(kind.burst_iops_by_gib, gib)),
        flow,
        np.maximum(flow, _at(kind.burst_throughput_by_gib, gib)),
    )


def needed(kind: VolumeType, gib: Figures, iops: Figures, throughput: Figures) -> Needed:
    """Return the volumes of one type that carry a demand and are no smaller than `gib`."""
    flow = _provided(kind.provisioned_throughput, throughput)
    steady = _provided(kind.provisioned_iops, np.maximum(iops, _iops_for(kind, flow)))
    sizes = [gib, np.full(gib.shape, kind.least_gib), _gib_for(kind, steady)]
    sizes += [c.reached(iops) for c in (kind.iops_by_gib,) if c]
    sizes += [c.reached(throughput) for c in (kind.throughput_by_gib,) if c]
    size = _whole(np.max(sizes, axis=0))
    feasible = (size <= kind.most_gib) & (steady <= _most(kind.provisioned_iops))
    feasible &= flow <= _most(kind.provisioned_throughput)
    size = np.where(feasible, size, kind.most_gib)
    return Needed(feasible, size, performance_of(kind, size, steady, flow))


def _iops_for(kind: VolumeType, throughput: Figures) -> Figures:
    """Return the IOPS that a throughput asks for."""
    if kind.throughput_by_iops:
        return kind.throughput_by_iops.reached(throughput)
    if kind.provisioned_throughput:
        return throughput / kind.provisioned_throughput.ratio
    return np.zeros(throughput.shape)


def _gib_for(kind: VolumeType, iops: Figures) -> Figures:
    """Return the size that provisioned IOPS ask for; what is included asks for none."""
    if kind.provisioned_iops is None:
        return np.zeros(iops.shape)
    beyond = iops > kind.provisioned_iops.included
    return np.where(beyond, iops / kind.provisioned_iops.ratio, 0.0)


def _provided(limits: Provisioned | None, value: Figures) -> Figures:
    return value if limits is None else np.maximum(_whole(value), limits.included)


def _most(limits: Provisioned | None) -> float:
    return np.inf if limits is None else limits.most


def _whole(value: Figures) -> Figures:
    found: Figures = np.ceil(value - ROUNDING)
    return found


def _at(curve: Curve | None, place: Figures) -> Figures:
    return np.zeros(place.shape) if curve is None else curve.at(place)


def volume_type(name: str, facts: Mapping[str, Any]) -> VolumeType:
    """Return the type that an entry of a table describes; absent facts do not apply to it."""
    least, most = facts["gib"]
    iops, throughput = facts.get("provisioned_iops"), facts.get("provisioned_throughput")
    return VolumeType(
        name=name,
        least_gib=least,
        most_gib=most,
        successor=facts.get("successor"),
        hard_disk=facts.get("hard_disk", False),
        provisioned_iops=iops and Provisioned(iops["included"], iops["most"], iops["per_gib"]),
        iops_by_gib=_curve(facts.get("iops_by_gib")),
        burst_iops_by_gib=_curve(facts.get("burst_iops_by_gib")),
        provisioned_throughput=throughput
        and Provisioned(throughput["included"], throughput["most"], throughput["per_iops"]),
        throughput_by_gib=_curve(facts.get("throughput_by_gib")),
        throughput_by_iops=_curve(facts.get("throughput_by_iops")),
        burst_throughput_by_gib=_curve(facts.get("burst_throughput_by_gib")),
    )


def _curve(points: Sequence[Sequence[float]] | None) -> Curve | None:
    if points is None:
        return None
    places, values = np.array(points, np.float64).T
    return Curve(places, values)
