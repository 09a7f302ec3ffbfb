"""Own prices by the day from which they hold."""

from contextlib import closing
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from compute_optimizer.catalog.own_prices import EBS, EC2, OwnPrice, PriceMarket
from compute_optimizer.store import State
from compute_optimizer.store.own_prices import (
    Layer,
    own_prices,
    price_groups,
    remove_prices,
    replace_prices,
)
from tests.revisions import OWN_PRICES, back_to
from tests.states import FreshUrl

LINUX = PriceMarket(EC2, "us-east-1", "linux")
GP3 = PriceMarket(EBS, "us-east-1", "gp3")
FIRST = date(2026, 1, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def price(usd: float, number: int, name: str = "m5.large", market: PriceMarket = LINUX) -> OwnPrice:
    return OwnPrice(market, name, usd, "list", day(number))


def usd_on(state: State, number: int, name: str = "m5.large") -> float:
    with state.reading() as connection:
        return own_prices(connection, day(number)).of(LINUX)[name].usd


def test_a_price_holds_from_its_day_to_that_of_the_next(state: State) -> None:
    with state.writing() as connection:
        replace_prices(connection, Layer.LIST, [price(0.1, 10)])
        replace_prices(connection, Layer.LIST, [price(0.2, 20)])

    assert [usd_on(state, number) for number in (10, 19, 20, 99)] == [0.1, 0.1, 0.2, 0.2]
    # Before all of them: nothing better is known than the first.
    assert usd_on(state, 9) == 0.1


def test_a_sheet_counts_before_a_list_once_it_holds(state: State) -> None:
    with state.writing() as connection:
        replace_prices(connection, Layer.LIST, [price(0.1, 10)])
        replace_prices(connection, Layer.SHEET, [price(0.05, 20)])

    assert [usd_on(state, number) for number in (9, 10, 19, 20)] == [0.05, 0.1, 0.1, 0.05]


def test_a_market_is_replaced_whole_from_a_day_on_and_others_stay(state: State) -> None:
    with state.writing() as connection:
        old = [price(0.1, 10), price(0.2, 10, "m5.xlarge"), price(0.08, 10, "gib", GP3)]
        replace_prices(connection, Layer.LIST, old)
        replace_prices(connection, Layer.LIST, [price(0.3, 20), price(0.4, 20)])
        newest = own_prices(connection, day(20))
        before = own_prices(connection, day(19))

    # Of two for the same thing the last one counts.
    assert {name: one.usd for name, one in newest.of(LINUX).items()} == {"m5.large": 0.4}
    assert set(before.of(LINUX)) == {"m5.large", "m5.xlarge"}
    assert newest.of(GP3)["gib"].usd == 0.08
    assert newest.oldest(EC2, "us-east-1", None) == day(20)


def test_what_no_longer_holds_is_removed_and_the_rest_stays(state: State) -> None:
    with state.writing() as connection:
        for number in (10, 20, 30):
            replace_prices(connection, Layer.LIST, [price(number / 100, number)])
        replace_prices(connection, Layer.SHEET, [price(0.05, 10)])
        assert remove_prices(connection, [Layer.LIST], day(25)) == 1
        assert [(one.layer, one.date) for one in price_groups(connection)] == [
            ("list", day(20)),
            ("list", day(30)),
            ("sheet", day(10)),
        ]
        assert remove_prices(connection, list(Layer)) == 3


@settings(max_examples=25, deadline=None)
@given(
    lists=st.dictionaries(st.integers(0, 20), st.floats(0.01, 9), max_size=4),
    sheets=st.dictionaries(st.integers(0, 20), st.floats(0.01, 9), max_size=4),
    asked=st.integers(0, 25),
)
def test_one_rule_says_what_holds(
    fresh_sqlite: FreshUrl, lists: dict[int, float], sheets: dict[int, float], asked: int
) -> None:
    with closing(State(fresh_sqlite())) as state, state.writing() as connection:
        for layer, told in ((Layer.LIST, lists), (Layer.SHEET, sheets)):
            for number, usd in told.items():
                replace_prices(connection, layer, [price(usd, number)])
        found = own_prices(connection, day(asked)).of(LINUX)

    # The newest sheet that holds, else the newest list that holds, else the first sheet, else the
    # first list.
    holding = [max((n for n in told if n <= asked), default=None) for told in (sheets, lists)]
    first = [min(told, default=None) for told in (sheets, lists)]
    candidates = zip((*holding, *first), (sheets, lists, sheets, lists), strict=True)
    expected = next((told[number] for number, told in candidates if number is not None), None)
    assert (found["m5.large"].usd if found else None) == expected


def test_prices_of_the_revision_before_hold_from_the_day_that_they_bear(state: State) -> None:
    with state.writing() as connection:
        back_to(connection, "0009")
        former = {**LINUX._asdict(), "name": "m5.large", "hourly_usd": 0.07}
        row = {"layer": "sheet", "source": "ours.csv", "date": day(5), **former}
        connection.execute(insert(OWN_PRICES), [row])

    state.migrate()

    with state.reading() as connection:
        (one,) = own_prices(connection, day(5)).of(LINUX).values()
        assert (one.usd, one.source, one.date) == (0.07, "ours.csv", day(5))
