"""Backtests of stored fleets: who sees what, what is kept, and what too little data says."""

import pytest

from compute_optimizer.jobs import quality
from compute_optimizer.jobs.quality import backtest_fleets, backtest_requested, has_requests
from compute_optimizer.model.backtested import QueuedBacktest
from compute_optimizer.store import State
from compute_optimizer.store.backtests import backtests_of, find_request, request_backtest
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, BETA, Desk, opt_in
from tests.records import NOW
from tests.stored_fleets import store_fleet


@pytest.fixture
def desk(state: State) -> Desk:
    """ALPHA and BETA are opted in, each by itself."""
    return opt_in(state, ALPHA, BETA)


def test_each_account_by_itself_has_a_backtest_of_its_own(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=(10.0, 20.0, 30.0), days=28)
    store_fleet(desk.state, tiles, BETA, cpu=(10.0,), days=28)

    assert backtest_fleets(desk.state, tiles, desk.clock) == 2

    with desk.state.reading() as connection:
        (mine,) = backtests_of(connection, ALPHA).values()
        (other,) = backtests_of(connection, BETA).values()
    assert (mine.accounts, mine.resources, mine.replayed) == (1, 3, 3)
    assert (other.accounts, other.resources, other.replayed) == (1, 1, 1)
    # 28 days are one test: 14 to learn from and 14 to test on.
    (origin,) = mine.report["origins"]
    assert origin["scored"] == 3
    # Flat use is never exceeded, and some of it can be saved.
    told = mine.report["overall"]["policies"]["default"]["deployed"]["0.05"]
    assert told["violations"] == 0
    assert mine.made_at == desk.clock.now()


def test_too_little_data_is_told_and_no_failure(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA, days=27)

    backtest_fleets(desk.state, tiles, desk.clock)

    with desk.state.reading() as connection:
        (mine,) = backtests_of(connection, ALPHA).values()
        assert backtests_of(connection, BETA) == {}
    assert mine.report == {}
    assert "has 27 days of samples; a backtest needs 14 days to learn from" in mine.problem


def test_of_a_large_fleet_every_nth_stands_for_the_others(
    desk: Desk, tiles: TileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=(10.0,) * 7, days=28)
    monkeypatch.setattr(quality, "MOST_REPLAYED", 3)

    backtest_fleets(desk.state, tiles, desk.clock)

    with desk.state.reading() as connection:
        (mine,) = backtests_of(connection, ALPHA).values()
    # Every third of seven: the first, the fourth and the seventh.
    assert (mine.resources, mine.replayed, mine.report["origins"][0]["scored"]) == (7, 3, 3)


def test_who_asks_gets_one_once(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA, days=28)
    assert not has_requests(desk.state)
    request = QueuedBacktest(ALPHA, NOW, "arn:aws:iam::111111111111:user/somebody")
    for _ in range(2):
        with desk.state.writing() as connection:
            request_backtest(connection, request)
            assert find_request(connection, ALPHA) == request
    assert has_requests(desk.state)

    assert backtest_requested(desk.state, tiles, desk.clock) == 1

    with desk.state.reading() as connection:
        assert find_request(connection, ALPHA) is None
        assert backtests_of(connection, ALPHA).keys() == {"Ec2Instance"}
        assert backtests_of(connection, BETA) == {}
    assert backtest_requested(desk.state, tiles, desk.clock) == 0


def test_whoever_waits_sees_what_is_being_tested_and_how_far(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA, days=28)
    request = QueuedBacktest(ALPHA, NOW, "somebody")
    with desk.state.writing() as connection:
        request_backtest(connection, request)
    seen = []

    def check() -> None:
        desk.clock.tick(seconds=2)
        with desk.state.reading() as connection:
            seen.append(find_request(connection, ALPHA))

    backtest_requested(desk.state, tiles, desk.clock, check=check)

    # What is seen at a step is what was noted of the one before it.
    waiting, *noted = [one for one in seen if one is not None]
    assert waiting == request
    assert {one.doing for one in noted} == {"Ec2Instance"}
    steps = [(one.done or 0, one.total) for one in noted]
    assert steps[0] == (0, 1)
    # Four stages of a hundred steps, of which the last is not seen any more.
    assert {total for _, total in steps[1:]} == {400}
    assert steps[1:] == sorted(steps[1:])
    assert steps[1] == (100, 400)  # One shard was read.
    assert steps[-1][0] > 300
