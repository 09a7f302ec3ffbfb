"""What is kept of the AWS Price List, by service: prices of types by the hour, and rates by use.

Kept is what somebody pays who just starts something: on demand, in USD, in the first tier, on
shared hardware, without software that costs extra. Lines are told by the columns of the CSV form;
which names and values are documented, and which assumed, says docs/prices.md.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from compute_optimizer.catalog.own_prices import EC2, RDS, OwnPrice, PriceMarket
from compute_optimizer.errors import InvalidInput
from compute_optimizer.model.written_numbers import number_of
from compute_optimizer.sources.prices.usage import ECS_USAGE, LAMBDA_USAGE, RDS_USAGE, VOLUME_USAGE
from compute_optimizer.sources.prices.usage import Usage as Usage

Row = Mapping[str, str]
"""A line by column."""

REGION_CODE, USAGE_TYPE, UNIT, PRICE = "Region Code", "usageType", "Unit", "PricePerUnit"
STARTING_RANGE = "StartingRange"

TERMS = MappingProxyType({"TermType": ("OnDemand",), "Currency": ("USD",)})
"""What holds for every price that is kept: column -> accepted values."""

FIRST_TIER = ("", "0")
"""Where a tier starts that everybody pays first."""

HOURS = "Hrs"

PLATFORMS = MappingProxyType(
    {"Linux": "linux", "Windows": "windows", "RHEL": "rhel", "SUSE": "suse"}
)
"""Operating systems as the list names them, and as the inventory does."""

ENGINES = MappingProxyType(
    {
        "MySQL": "mysql",
        "PostgreSQL": "postgres",
        "MariaDB": "mariadb",
        "Aurora MySQL": "aurora-mysql",
        "Aurora PostgreSQL": "aurora-postgresql",
    }
)
"""Engines as the list names them, and as the inventory does."""

AURORA_STANDARD_STORAGE = ("", "EBS Only")
"""What the list says of classes of Aurora clusters that pay for each I/O."""

REGION_PREFIX = re.compile(r"^[A-Z]{2,4}\d?-")
"""Of a usage type, such as USE2-, EU- or APN1-; most of us-east-1 have none."""


@dataclass(frozen=True, slots=True)
class Types:
    """How prices of types by the hour are told."""

    product: str
    columns: Mapping[str, tuple[str, ...]]
    """What holds for every one: column -> accepted values."""
    platform: str
    """The column that names the platform."""
    platforms: Mapping[str, str]

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return the columns that are read."""
        return (*self.columns, "Instance Type", "Storage", self.platform)


@dataclass(frozen=True, slots=True)
class Offer:
    """How the list of one service is read."""

    code: str
    """The service in addresses and in the file itself."""
    usage: Mapping[str, Usage]
    """What rates are for, by usage type without its Region."""
    types: Types | None = None
    engines: tuple[str, ...] | None = None
    """Accepted in the column of engines where rates are told for each; None where they are not."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return the columns that are read."""
        general = (*TERMS, UNIT, PRICE, REGION_CODE, USAGE_TYPE, STARTING_RANGE)
        engines = () if self.engines is None else (ENGINE,)
        return tuple(
            dict.fromkeys((*general, *(self.types.wanted if self.types else ()), *engines))
        )


ENGINE = "Database Engine"

EC2_TYPES = Types(
    product=EC2,
    columns=MappingProxyType(
        {
            "Tenancy": ("Shared",),
            "CapacityStatus": ("Used",),
            "Pre Installed S/W": ("NA",),
            "License Model": ("No License required",),
        }
    ),
    platform="Operating System",
    platforms=PLATFORMS,
)

RDS_TYPES = Types(
    product=RDS,
    columns=MappingProxyType(
        {
            "Deployment Option": ("Single-AZ",),
            "License Model": ("No license required",),
        }
    ),
    platform=ENGINE,
    platforms=ENGINES,
)

OFFERS = (
    Offer("AmazonEC2", VOLUME_USAGE, EC2_TYPES),
    Offer("AmazonRDS", RDS_USAGE, RDS_TYPES, engines=("", "Any", *ENGINES)),
    Offer("AWSLambda", LAMBDA_USAGE),
    Offer("AmazonECS", ECS_USAGE),
)


class Found(NamedTuple):
    """One price of a line: whole, or a part of a rate."""

    market: PriceMarket
    name: str
    part: str
    usd: float


def own_prices_in(
    rows: Iterable[tuple[str, Row]], offer: Offer, published: date
) -> Iterator[OwnPrice]:
    """Yield what is kept of lines, each with what people find it by, such as its number.

    Raises InvalidInput for a price that is no number.
    """
    source = f"AWS Price List, {offer.code}"
    parts: defaultdict[tuple[PriceMarket, str], dict[str, float]] = defaultdict(dict)
    for where, row in rows:
        found = _found(where, row, offer)
        if found is None:
            continue
        if not found.part:
            yield OwnPrice(found.market, found.name, found.usd, source, published)
        else:
            parts[found.market, found.name][found.part] = found.usd
    for (market, name), of_rate in parts.items():
        # A rate of several lines that lacks one would be too low.
        if set(of_rate) == _parts_of(offer, market, name):
            yield OwnPrice(market, name, sum(of_rate.values()), source, published)


def _parts_of(offer: Offer, market: PriceMarket, name: str) -> set[str]:
    rate = (market.product, market.platform, name)
    return {one.part for one in offer.usage.values() if one.rate == rate}


def _found(where: str, row: Row, offer: Offer) -> Found | None:
    """Return the price of a line; None for what is not kept."""
    if any(row[name] not in accepted for name, accepted in TERMS.items()):
        return None
    if row[STARTING_RANGE] not in FIRST_TIER:
        return None
    market, name, part, factor = _priced(row, offer) or (None, "", "", 0.0)
    if market is None:
        return None
    usd = _usd(where, row[PRICE]) * factor
    # A price of nothing is that of capacity which is paid for otherwise, or of a free tier.
    return Found(market, name, part, usd) if usd > 0 else None


def _priced(row: Row, offer: Offer) -> tuple[PriceMarket, str, str, float] | None:
    """Return what a line is the price of: market, name, part, and by what to multiply it."""
    usage = offer.usage.get(REGION_PREFIX.sub("", row[USAGE_TYPE], count=1))
    region = row[REGION_CODE]
    if usage is not None:
        factor = usage.units.get(row[UNIT].lower())
        engine_counts = offer.engines is None or row[ENGINE] in offer.engines
        if factor is None or not engine_counts:
            return None
        product, platform, name = usage.rate
        return PriceMarket(product, region, platform), name, usage.part, factor
    types = offer.types
    if types is None or not _is_type(row, types):
        return None
    market = PriceMarket(types.product, region, types.platforms[row[types.platform]])
    return market, row["Instance Type"], "", 1.0


def _is_type(row: Row, types: Types) -> bool:
    if row[UNIT] != HOURS or row[types.platform] not in types.platforms:
        return False
    if any(row[name] not in accepted for name, accepted in types.columns.items()):
        return False
    of_aurora = row[types.platform].startswith("Aurora")
    return not of_aurora or row["Storage"] in AURORA_STANDARD_STORAGE


def _usd(where: str, text: str) -> float:
    usd = number_of(text)
    if usd is None:
        raise InvalidInput(f"{where}: {text!r} is no price in USD")
    return usd
