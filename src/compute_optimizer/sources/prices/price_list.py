"""The AWS Price List: one CSV file for each service and Region, of up to some hundred MB.

Five lines tell what the file is, the sixth names the columns (AWS Billing User Guide, Reading the
service price list file). What is kept of the others: `sources.prices.offers`.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime

from compute_optimizer.catalog.own_prices import OwnPrice
from compute_optimizer.errors import InvalidInput
from compute_optimizer.sources.prices.lines import MOST_MB, csv_lines, without_query
from compute_optimizer.sources.prices.offers import OFFERS, Offer, Row, own_prices_in

METADATA_LINES = 5
"""Before the names of the columns."""

PUBLISHED = "Publication Date"
OFFER = "OfferCode"

TOLD_LINES = 50_000
"""After how many the progress is told."""


def offer_url(base: str, offer: Offer, region: str) -> str:
    """Return the address of the newest list of a service in a Region."""
    return f"{base.rstrip('/')}/offers/v1.0/aws/{offer.code}/current/{region}/index.csv"


def read_price_list(
    place: str, progress: Callable[[int], None] = lambda lines: None, most_mb: int = MOST_MB
) -> list[OwnPrice]:
    """Return the prices of a list by a path or an address; `progress` is told the lines so far.

    Raises InvalidInput for what is no price list of a known service, and SourceUnavailable for an
    address that cannot be read, or has more than `most_mb`.
    """
    with csv_lines(place, most_mb) as lines:
        told = without_query(place)
        about = dict(_pair(next(lines, [])) for _ in range(METADATA_LINES))
        offer, published = _offer(told, about), published_on(told, about.get(PUBLISHED, ""))
        header = next(lines, [])
        missing = [name for name in offer.wanted if name not in header]
        if missing:
            raise InvalidInput(
                f"{told}: line {METADATA_LINES + 1} has no column {', '.join(missing)}; expected "
                f"the CSV file of the price list of {offer.code}"
            )
        rows = _rows(lines, header, offer, progress)
        found = list(own_prices_in(rows, offer, published))
    if not found:
        raise InvalidInput(f"{told} has no price that is of use: nothing on demand in USD")
    return found


def published_on(place: str, told: str) -> date:
    """Return the day of a moment of publication; raise InvalidInput for what is none."""
    try:
        return datetime.fromisoformat(told).date()
    except ValueError:
        raise InvalidInput(
            f"{place}: the publication date {told!r} is no moment; expected one such as "
            "2026-11-20T08:00:00Z"
        ) from None


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


def _rows(
    lines: Iterator[list[str]], header: list[str], offer: Offer, progress: Callable[[int], None]
) -> Iterator[tuple[str, Row]]:
    """Yield the lines of a list by their number and the columns that are wanted."""
    places = [(header.index(name), name) for name in offer.wanted]
    for number, cells in enumerate(lines, 1):
        if number % TOLD_LINES == 0:
            progress(number)
        if len(cells) >= len(header):
            row = {name: cells[place] for place, name in places}
            yield f"line {number + METADATA_LINES + 1} of the price list", row
