"""What is kept of backtests: the last of each type, figures of those before it, and requests."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest

from compute_optimizer.model.backtested import Backtested, QueuedBacktest
from compute_optimizer.store import State, backtests
from compute_optimizer.store.backtests import (
    backtests_of,
    find_request,
    history_of,
    note_progress,
    past_backtest,
    past_backtests,
    remove_backtests_of,
    request_backtest,
    save_backtests,
)
from tests.backtested import report
from tests.enrolling import ALPHA, BETA
from tests.records import NOW

WEEK = timedelta(days=7)


def backtested(week: int = 0, account: str = ALPHA) -> Backtested:
    """Return the backtest of a week: so many percent were violated."""
    made_at = NOW + week * WEEK
    return Backtested(account, "EbsVolume", made_at, 1, 50, 50, report(week / 100))


def save(state: State, *some: Backtested) -> None:
    with state.writing() as connection:
        save_backtests(connection, some)


def test_the_last_is_kept_whole_and_all_by_their_figures(state: State) -> None:
    for week in (1, 2, 3):
        save(state, backtested(week))

    with state.reading() as connection:
        assert backtests_of(connection, ALPHA) == {"EbsVolume": backtested(3)}
        history = history_of(connection, ALPHA)
        assert history_of(connection, BETA) == []
    assert [one.made_at for one in history] == [NOW + week * WEEK for week in (1, 2, 3)]
    assert [one.headline.violations for one in history] == [0.01, 0.02, 0.03]
    # Two percent of the reductions were violated in the first week.
    assert history[0].headline.hit_rate == pytest.approx(0.98)
    assert (history[0].first_day, history[0].last_day) == ("2026-01-01", "2026-01-28")


def test_the_oldest_are_forgotten_beyond_a_number_of_each_type(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtests, "HISTORY_KEPT", 2)
    save(state, replace(backtested(), resource_type="EcsService"))
    for week in (1, 2, 3):
        save(state, backtested(week))

    with state.reading() as connection:
        found = [
            (one.resource_type, one.headline.violations) for one in history_of(connection, ALPHA)
        ]
    assert found == [("EcsService", 0.0), ("EbsVolume", 0.02), ("EbsVolume", 0.03)]


def test_too_little_data_is_told_and_not_remembered(state: State) -> None:
    save(state, replace(backtested(), report={}, problem="too little"))

    with state.reading() as connection:
        assert backtests_of(connection, ALPHA)["EbsVolume"].problem == "too little"
        assert history_of(connection, ALPHA) == []


def test_whoever_waits_is_told_how_far_it_is(state: State) -> None:
    mine, other = (QueuedBacktest(one, NOW, "somebody") for one in (ALPHA, BETA))
    with state.writing() as connection:
        for request in (mine, other):
            request_backtest(connection, request)
        note_progress(connection, mine, "EbsVolume", 3, 8)

    with state.reading() as connection:
        assert find_request(connection, ALPHA) == replace(mine, doing="EbsVolume", done=3, total=8)
        assert find_request(connection, BETA) == other


def test_of_requests_at_the_same_moment_one_stands(state: State) -> None:
    everybody = [QueuedBacktest(ALPHA, NOW, f"person {number}") for number in range(8)]
    together = Barrier(len(everybody))

    def ask(request: QueuedBacktest) -> None:
        with state.writing() as connection:
            # SQLite lets one in at a time, whatever they do.
            if not state.is_sqlite:
                together.wait()
            request_backtest(connection, request)

    with ThreadPoolExecutor(len(everybody)) as pool:
        list(pool.map(ask, everybody))

    with state.reading() as connection:
        assert find_request(connection, ALPHA) in everybody


def test_with_an_account_its_history_goes(state: State) -> None:
    save(state, backtested(1), backtested(1, BETA))
    with state.writing() as connection:
        remove_backtests_of(connection, ALPHA)

    with state.reading() as connection:
        assert history_of(connection, ALPHA) == []
        assert len(history_of(connection, BETA)) == 1


def test_what_pages_show_of_each_is_kept_by_its_moment(state: State) -> None:
    for week in (1, 2):
        save(state, backtested(week), backtested(week, BETA))

    with state.reading() as connection:
        made = past_backtests(connection, ALPHA, "EbsVolume")
        assert made == {NOW + WEEK, NOW + 2 * WEEK}
        first = past_backtest(connection, ALPHA, "EbsVolume", NOW + WEEK)
        # Of volumes all of it is shown.
        assert first == backtested(1)
        assert past_backtest(connection, ALPHA, "EbsVolume", NOW) is None
        assert past_backtest(connection, ALPHA, "EcsService", NOW + WEEK) is None
