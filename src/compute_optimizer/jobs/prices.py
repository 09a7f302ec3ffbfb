"""Prices from outside into the state: whole lists, and sheets on top of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

from compute_optimizer.catalog.own_prices import OwnPrice
from compute_optimizer.sources.prices import OFFERS, offer_url, read_price_list, read_price_sheet
from compute_optimizer.store import State
from compute_optimizer.store.own_prices import Layer, replace_prices

Progress = Callable[[str, int], None]
"""Called with the list that is being read and the number of its lines so far."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one list or sheet held."""

    place: str
    """A path or an address."""
    prices: int
    markets: int
    """Products, Regions and platforms."""
    oldest: date


def list_places(files: Sequence[str], regions: Sequence[str], base: str) -> tuple[str, ...]:
    """Return the lists to read: the given files, and the addresses of those of the Regions."""
    web = [offer_url(base, offer, region) for region in regions for offer in OFFERS]
    return (*files, *web)


def load_lists(
    state: State, places: Sequence[str], progress: Progress = lambda place, lines: None
) -> list[Loaded]:
    """Take in price lists, each in the place of what was listed for its markets.

    A list counts when it is read to its end. Raises InvalidInput for what is no price list, and
    SourceUnavailable for an address that cannot be read; lists before it have been taken in.
    """
    return [
        _taken_in(state, Layer.LIST, place, read_price_list(place, partial(progress, place)))
        for place in places
    ]


def import_sheet(state: State, path: str, as_of: date) -> Loaded:
    """Take in a sheet, in the place of former sheets for its markets.

    Raises InvalidInput for what is no price sheet; then nothing changes.
    """
    return _taken_in(state, Layer.SHEET, path, read_price_sheet(path, as_of))


def stale_since(oldest: date | None, today: date, max_age: timedelta) -> date | None:
    """Return the date of prices that are older than they may be; None while they are not."""
    return oldest if oldest is not None and today - oldest > max_age else None


def _taken_in(state: State, layer: Layer, place: str, prices: Sequence[OwnPrice]) -> Loaded:
    with state.writing() as connection:
        replace_prices(connection, layer, prices)
    return Loaded(
        place=place,
        prices=len(prices),
        markets=len({one.market for one in prices}),
        oldest=min((one.date for one in prices), default=date.max),
    )
