"""Instance types that the package does not ship, as EC2 described them, beside those that it does.

A described type is one like any other: what it can do is known. It has no price but an own one.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from compute_optimizer.catalog.instance_types import InstanceTypes, load_instance_types
from compute_optimizer.catalog.own_prices import EC2, NO_OWN_PRICES, OwnPrices
from compute_optimizer.catalog.rightsizing import RIGHTSIZING_FAMILIES
from compute_optimizer.catalog.size_law import family_of
from compute_optimizer.catalog.type_descriptions import COLUMNS, Description
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.described_type import DescribedType

FAMILY = re.compile(r"(?P<series>[a-z]+?)(?P<generation>\d+)(?P<rest>[a-z-]*)")
"""A family's name: its series, its generation, and what else tells it from others, as m, 8, gd."""

NOT_SAID = (KeyError, TypeError, ValueError, AttributeError)
"""What a description raises that is none, or lacks what the catalog needs."""

KEPT_CATALOGS = 4
"""Of those made lately: an analysis asks for the same one in each of its steps."""


@dataclass(frozen=True, slots=True)
class OwnFigures:
    """What counts before what the package ships, and beside it."""

    prices: OwnPrices = NO_OWN_PRICES
    types: tuple[DescribedType, ...] = ()


def described(item: Description, region: str, day: date) -> DescribedType:
    """Return what a description says; raise InvalidInput for what is none."""
    try:
        name = str(item["InstanceType"])
        said = [(column, read(item)) for column, read in COLUMNS.items()]
        figures = tuple((column, None if v is None else float(v)) for column, v in said)
    except NOT_SAID as error:
        raise InvalidInput(
            f"the description {str(item)[:60]!r} of an instance type lacks or misstates "
            f"{str(error)!r}; expected what `aws ec2 describe-instance-types` prints"
        ) from error
    return DescribedType(name, region, day, figures)


def unshipped(types: Iterable[DescribedType]) -> list[DescribedType]:
    """Return those that the package does not ship."""
    return [one for one in types if one.name not in load_instance_types().index]


@lru_cache(maxsize=KEPT_CATALOGS)
def with_described(
    types: InstanceTypes, found: tuple[DescribedType, ...], prices: OwnPrices = NO_OWN_PRICES
) -> InstanceTypes:
    """Return the catalog with described types among the shipped ones, which count before them.

    A Region offers a described type where it was described, or has an own price.
    """
    newest = {one.name: one for one in sorted(found, key=lambda one: one.date)}
    added = [one for name, one in sorted(newest.items()) if name not in types.index]
    if not added:
        return types
    names = (*types.names, *(one.name for one in added))
    order = np.array(sorted(range(len(names)), key=names.__getitem__))
    columns = _figures_of(types, added)
    arrays = {name: _joined(getattr(types, name), new, order) for name, new in columns.items()}
    sold = _regions_of(found, added, prices)
    offerings = {
        region: _joined(types.offered(region), [region in sold[one.name] for one in added], order)
        for region in {*types.offerings, *(one for regions in sold.values() for one in regions)}
    }
    ordered = tuple(names[place] for place in order.tolist())
    return replace(
        types,
        names=ordered,
        families=tuple(family_of(name) for name in ordered),
        index=MappingProxyType({name: place for place, name in enumerate(ordered)}),
        offerings=MappingProxyType(offerings),
        **cast(Any, arrays),
    )


def _joined(shipped: NDArray[Any], added: Sequence[Any], order: NDArray[np.int64]) -> NDArray[Any]:
    joined: NDArray[Any] = np.concatenate([shipped, np.array(added, shipped.dtype)])[order]
    joined.flags.writeable = False
    return joined


def _figures_of(
    types: InstanceTypes, added: Sequence[DescribedType]
) -> dict[str, Sequence[float | bool]]:
    """Return every array of the catalog for the added types alone."""
    told = [dict(one.figures) for one in added]
    unknown = [np.nan] * len(added)
    columns: dict[str, Sequence[float | bool]] = {
        name: [np.nan if (value := one[name]) is None else value for one in told]
        for name in COLUMNS
    }
    kin = [_kin(types, one) for one in added]
    return columns | {
        "packets_per_second": unknown,
        "burst_baseline": unknown,
        "burst_credits_per_hour": unknown,
        "relative_speed": [np.nan if k is None else types.relative_speed[k] for k in kin],
        "speed_measured": [
            k is not None and types.families[k] == family_of(one.name) and types.speed_measured[k]
            for k, one in zip(kin, added, strict=True)
        ],
        "rightsizing_supported": [_is_supported(types, one) for one in added],
    }


def _kin(types: InstanceTypes, one: DescribedType) -> int | None:
    """Return a shipped type that is about as fast, per vCPU; None where none is known to be.

    Of the same family, else of the newest former generation with the same series, suffix, maker
    and instruction set: a processor is held to be no slower than the one before it (assumed).
    """
    own, figures = FAMILY.fullmatch(family_of(one.name)), dict(one.figures)
    alike = types.cpu_vendor == figures["cpu_vendor"]
    alike &= types.architectures == figures["architectures"]
    alike &= ~np.isnan(types.relative_speed)
    found: tuple[int, int] | None = None
    for place in np.flatnonzero(alike).tolist():
        other = FAMILY.fullmatch(types.families[place])
        if own is None or other is None or other["series"] != own["series"]:
            continue
        generation = int(other["generation"])
        older = other["rest"] == own["rest"] and generation <= int(own["generation"])
        if older and (found is None or generation > found[0]):
            found = generation, place
    return None if found is None else found[1]


def _is_supported(types: InstanceTypes, one: DescribedType) -> bool:
    """Return whether a type gets recommendations, and may be one.

    Families that the service lists, and those of which the package ships no type, for it may be
    newer than the list (assumed). Not those whose accelerators nothing measures, nor Macs, nor
    burstable ones, of whose credits a description says nothing.
    """
    family, figures = family_of(one.name), dict(one.figures)
    if figures["burstable"] or family.startswith("mac"):
        return False
    if figures["accelerated"] and not figures["gpu_count"]:
        return False
    return family in RIGHTSIZING_FAMILIES or family not in types.families


def _regions_of(
    found: Iterable[DescribedType], added: Iterable[DescribedType], prices: OwnPrices
) -> Mapping[str, set[str]]:
    regions: dict[str, set[str]] = {one.name: set() for one in added}
    for one in found:
        if one.name in regions:
            regions[one.name].add(one.region)
    for market, own in prices.markets.items():
        if market.product == EC2:
            for name in regions.keys() & own.keys():
                regions[name].add(market.region)
    return regions
