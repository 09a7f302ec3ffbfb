"""The AWS Price List: one CSV file for each service and Region, of up to some hundred MB.

Five lines tell what the file is, the sixth names the columns (AWS Billing User Guide, Reading the
service price list file). Kept is what somebody pays who just starts an instance: on demand, by the
hour, on shared hardware, without software that costs extra.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from compute_optimizer.catalog.own_prices import EC2, RDS, Market, OwnPrice
from compute_optimizer.errors import InvalidInput
from compute_optimizer.sources.prices.lines import csv_lines

METADATA_LINES = 5
"""Before the names of the columns."""

PUBLISHED = "Publication Date"
OFFER = "OfferCode"

TERMS = MappingProxyType({"TermType": "OnDemand", "Unit": "Hrs", "Currency": "USD"})
"""What holds for every price that is kept, by column."""

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

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Offer:
    """How the list of one service is read."""

    code: str
    """The service in addresses and in the file itself."""
    product: str
    columns: Mapping[str, tuple[str, ...]]
    """What else holds for every price that is kept: column -> accepted values."""
    platform: str
    """The column that names the platform."""
    platforms: Mapping[str, str]


OFFERS = (
    Offer(
        code="AmazonEC2",
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
    ),
    Offer(
        code="AmazonRDS",
        product=RDS,
        columns=MappingProxyType(
            {
                "Deployment Option": ("Single-AZ",),
                "License Model": ("No license required",),
            }
        ),
        platform="Database Engine",
        platforms=ENGINES,
    ),
)


def offer_url(base: str, offer: Offer, region: str) -> str:
    """Return the address of the newest list of a service in a Region."""
    return f"{base.rstrip('/')}/offers/v1.0/aws/{offer.code}/current/{region}/index.csv"


def read_price_list(
    place: str, progress: Callable[[int], None] = lambda lines: None
) -> list[OwnPrice]:
    """Return the prices of a list by a path or an address; `progress` is told the lines so far.

    Raises InvalidInput for what is no price list of a known service, and SourceUnavailable for an
    address that cannot be read.
    """
    with csv_lines(place) as lines:
        about = dict(_pair(next(lines, [])) for _ in range(METADATA_LINES))
        offer, published = _offer(place, about), _published(place, about)
        header = next(lines, [])
        missing = [name for name in _wanted(offer) if name not in header]
        if missing:
            raise InvalidInput(
                f"{place}: line {METADATA_LINES + 1} has no column {', '.join(missing)}; expected "
                f"the CSV file of the price list of {offer.code}"
            )
        source = f"AWS Price List, {offer.code}"
        found = list(_prices(lines, header, offer, source, published, progress))
    if not found:
        raise InvalidInput(f"{place} has no price that is of use: no instance on demand in USD")
    return found


def _pair(cells: list[str]) -> tuple[str, str]:
    return (cells[0], cells[1]) if len(cells) > 1 else ("", "")


def _offer(place: str, about: Mapping[str, str]) -> Offer:
    code = about.get(OFFER, "")
    for offer in OFFERS:
        if offer.code == code:
            return offer
    known = ", ".join(offer.code for offer in OFFERS)
    raise InvalidInput(
        f"{place} is no price list that is of use: its offer code is {code!r}; expected one of "
        f"{known} in the first {METADATA_LINES} lines of the CSV file"
    )


def _published(place: str, about: Mapping[str, str]) -> date:
    told = about.get(PUBLISHED, "")
    try:
        return datetime.fromisoformat(told).date()
    except ValueError:
        raise InvalidInput(
            f"{place}: the publication date {told!r} is no moment; expected one such as "
            "2026-11-20T08:00:00Z"
        ) from None


def _wanted(offer: Offer) -> tuple[str, ...]:
    named = ("Instance Type", "Region Code", "PricePerUnit", "Storage", offer.platform)
    return (*TERMS, *offer.columns, *named)


def _prices(
    lines: Iterator[list[str]],
    header: list[str],
    offer: Offer,
    source: str,
    published: date,
    progress: Callable[[int], None],
) -> Iterator[OwnPrice]:
    places = [(header.index(name), name) for name in _wanted(offer)]
    for number, cells in enumerate(lines, 1):
        if number % 50_000 == 0:
            progress(number)
        if len(cells) < len(header):
            continue
        row = {name: cells[place] for place, name in places}
        platform = offer.platforms.get(row[offer.platform])
        if platform is None or not _counts(row, offer):
            continue
        price = _usd(row["PricePerUnit"], number + METADATA_LINES + 1)
        market = Market(offer.product, row["Region Code"], platform)
        # A price of nothing is that of capacity which is paid for otherwise.
        if price > 0:
            yield OwnPrice(market, row["Instance Type"], price, source, published)


def _usd(text: str, line: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"line {line} of the price list: {text!r} is no price in USD") from None


def _counts(row: Row, offer: Offer) -> bool:
    if any(row[name] != value for name, value in TERMS.items()):
        return False
    if any(row[name] not in accepted for name, accepted in offer.columns.items()):
        return False
    of_aurora = row[offer.platform].startswith("Aurora")
    return not of_aurora or row["Storage"] in AURORA_STANDARD_STORAGE
