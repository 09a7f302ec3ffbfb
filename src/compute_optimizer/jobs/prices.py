"""Prices from outside into the state: whole lists, and sheets on top of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from compute_optimizer.catalog.own_prices import OwnPrice
from compute_optimizer.sources.prices import (
    OFFERS,
    WEB,
    Offer,
    PriceCache,
    PricingApi,
    offer_url,
    read_price_list,
    read_price_sheet,
)
from compute_optimizer.store import State
from compute_optimizer.store.own_prices import Layer, replace_prices

LinesRead = Callable[[str, int], None]
"""Called with the list that is being read and the number of its lines so far."""

Read = Callable[[], tuple[list[OwnPrice], bool]]
"""Return prices, and whether they were in the cache."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one list or sheet held."""

    place: str
    """A path, an address, or a service and Region."""
    prices: int
    markets: int
    """Products, Regions and platforms."""
    oldest: date
    cached: bool
    """Whether it was read from the web earlier on the same day, and not again."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Which lists to read, and how."""

    cache: PriceCache
    most_mb: int
    files: Sequence[str] = ()
    """Paths, and addresses."""
    regions: Sequence[str] = ()
    base: str = ""
    """Address under which anybody may read the lists of Regions; for lists that no API finds."""
    api: PricingApi | None = None
    """None where the lists of Regions are at `base`."""
    whole_as_of: date | None = None
    """Day of the whole lists that the API finds; None where it is asked for products."""


def load_lists(
    state: State, lists: Lists, progress: LinesRead = lambda place, lines: None
) -> list[Loaded]:
    """Take in price lists, each in the place of what was listed for its markets on the same day.

    A list counts when it is read to its end. Raises InvalidInput for what is no price list, and
    SourceUnavailable for what cannot be read; lists before it have been taken in.
    """
    return [_taken_in(state, Layer.LIST, place, *read()) for place, read in _reads(lists, progress)]


def import_sheet(state: State, path: str, as_of: date) -> Loaded:
    """Take in a sheet, in the place of former sheets for its markets from the same day.

    Raises InvalidInput for what is no price sheet; then nothing changes.
    """
    return _taken_in(state, Layer.SHEET, path, read_price_sheet(path, as_of), cached=False)


def stale_since(oldest: date | None, today: date, max_age: timedelta) -> date | None:
    """Return the date of prices that are older than they may be; None while they are not."""
    return oldest if oldest is not None and today - oldest > max_age else None


def _reads(lists: Lists, progress: LinesRead) -> Iterator[tuple[str, Read]]:
    """Yield every list by the name that people know it by, with what reads it."""
    pairs = [(region, offer) for region in lists.regions for offer in OFFERS]
    if lists.api is not None:
        for region, offer in pairs:
            yield _by_api(lists, lists.api, offer, region, progress)
        return
    for place in (*lists.files, *(offer_url(lists.base, offer, region) for region, offer in pairs)):
        read = partial(read_price_list, place, partial(progress, place), lists.most_mb)
        on_the_web = place.startswith(WEB)
        yield place, partial(lists.cache.prices if on_the_web else _afresh, place, read)


def _by_api(
    lists: Lists, api: PricingApi, offer: Offer, region: str, progress: LinesRead
) -> tuple[str, Read]:
    name = f"{offer.code} in {region}"
    if lists.whole_as_of is None:
        products = partial(api.prices, offer, region, partial(progress, name))
        return name, partial(lists.cache.prices, f"products of {name}", products)
    day = lists.whole_as_of
    name = f"{name} as of {day}"

    def whole() -> list[OwnPrice]:
        url = api.list_url(offer, region, day)
        return read_price_list(url, partial(progress, name), lists.most_mb)

    return name, partial(lists.cache.prices, f"list of {name}", whole)


def _afresh(_name: str, read: Callable[[], list[OwnPrice]]) -> tuple[list[OwnPrice], bool]:
    return read(), False


def _taken_in(
    state: State, layer: Layer, place: str, prices: Sequence[OwnPrice], cached: bool
) -> Loaded:
    with state.writing() as connection:
        replace_prices(connection, layer, prices)
    return Loaded(
        place=place,
        prices=len({(one.market, one.name) for one in prices}),
        markets=len({one.market for one in prices}),
        oldest=min((one.date for one in prices), default=date.max),
        cached=cached,
    )
