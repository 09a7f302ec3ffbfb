"""The daily score: what is kept, when it is held against what came, and what is counted."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from compute_optimizer.errors import Conflict
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.purge import purge_opted_out
from compute_optimizer.jobs.scores import has_scores_to_make, make_scores
from compute_optimizer.model.forecast import MachineForecast, Score
from compute_optimizer.model.metrics import SLOTS_PER_DAY, Matrix, ShardSamples, Window
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import Scope, current_run
from compute_optimizer.store.forecasts import all_scores, due_runs, parts_of
from compute_optimizer.store.inventory import shards, upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, START, Desk, opt_in
from tests.records import REGION
from tests.samples import put_samples
from tests.stored_fleets import CPU, LAST_DAY, machine, store_fleet

FORTNIGHT = timedelta(days=14)
STEADY, GROWING = 0, 1
"""The machines: both used 10 % of their CPU before the analysis; then one goes on, and one grows to
95 %."""


@pytest.fixture
def desk(sqlite_state: State, tiles: TileStore) -> Desk:
    """A fleet that was analyzed at START."""
    desk = opt_in(sqlite_state, ALPHA)
    store_fleet(desk.state, tiles, ALPHA, cpu=(10.0, 10.0))
    analyze(desk.state, tiles, desk.clock, workers=1)
    return desk


def go_on(desk: Desk, tiles: TileStore, days: int = 15) -> None:
    """Store what the machines did from the day of the analysis on, and let that time pass."""
    last = LAST_DAY + timedelta(days=days)
    store_fleet(desk.state, tiles, ALPHA, cpu=(10.0, 95.0), last=last, days=days)
    desk.clock.moment = START + FORTNIGHT


def kept(desk: Desk) -> list[MachineForecast]:
    with desk.state.reading() as connection:
        run_id = current_run(connection, Scope(ALPHA, REGION, EC2_INSTANCE))
        assert run_id is not None
        return [one for _, part in parts_of(connection, run_id) for one in part.machines]


def make(desk: Desk, tiles: TileStore) -> list[Score]:
    return make_scores(desk.state, tiles, desk.clock)


def test_the_predictions_of_an_analysis_are_kept_once(desk: Desk, tiles: TileStore) -> None:
    assert has_scores_to_make(desk.state, desk.clock)
    assert make(desk, tiles) == []
    assert not has_scores_to_make(desk.state, desk.clock)

    machines = kept(desk)
    assert [one.instance_type for one in machines] == ["m5.xlarge", "m5.xlarge"]
    for one in machines:
        assert [option.first for option in one.options].count(True) == 1
        assert all(0 <= option.risk <= 1 for option in one.options)
    make(desk, tiles)
    assert kept(desk) == machines


def test_a_replay_of_the_past_is_no_prediction(desk: Desk, tiles: TileStore) -> None:
    make(desk, tiles)
    desk.clock.tick(days=2)
    analyze(desk.state, tiles, desk.clock, workers=1, as_of=START)

    assert not has_scores_to_make(desk.state, desk.clock)


def test_after_14_days_the_predictions_are_held_against_what_came(
    desk: Desk, tiles: TileStore
) -> None:
    make(desk, tiles)
    machines = kept(desk)
    go_on(desk, tiles)
    desk.clock.tick(seconds=-1)
    assert make(desk, tiles) == []
    desk.clock.tick(seconds=1)

    (score,) = make(desk, tiles)

    assert (score.machines, score.judged) == (2, 2)
    assert (score.unseen, score.changed, score.gone) == (0, 0, 0)
    # Both machines have the same past and so the same options, each with less than today.
    options = [option for one in machines for option in one.options]
    assert score.every.options == len(options)
    assert score.every.expected == pytest.approx(sum(option.risk for option in options))
    # 95 % of four vCPUs exceed what every one of the growing machine's options has: the first is
    # half of today's machine.
    assert score.every.observed == len(machines[GROWING].options)
    assert (score.first.options, score.first.observed) == (2, 1)
    low, high = score.first.interval
    # Wilson's interval of one in two is 9.5 % to 90.5 %.
    assert (low / 2, high / 2) == pytest.approx((0.0945, 0.9055), abs=1e-4)
    assert sum(row["options"] for row in score.reliability) == score.every.options
    with desk.state.reading() as connection:
        assert all_scores(connection) == [score]
        assert due_runs(connection, desk.clock.now()) == []
    assert make(desk, tiles) == []


def test_samples_of_before_and_of_after_the_14_days_do_not_count(
    desk: Desk, tiles: TileStore
) -> None:
    make(desk, tiles)
    store_fleet(desk.state, tiles, ALPHA, cpu=(10.0, 10.0), last=LAST_DAY + FORTNIGHT)
    # The analysis looked back from 06:30, where the 78th slot of a day ends.
    loud, quiet = np.full(78, 95, np.float32), np.full(SLOTS_PER_DAY - 78, 10, np.float32)
    put_day(desk, tiles, START.date(), np.concatenate([loud, quiet]))
    put_day(desk, tiles, START.date() + FORTNIGHT, np.concatenate([loud * 0 + 10, quiet * 0 + 95]))
    desk.clock.moment = START + FORTNIGHT

    (score,) = make(desk, tiles)

    assert (score.judged, score.every.observed) == (2, 0)


def put_day(desk: Desk, tiles: TileStore, day: date, cpu: Matrix) -> None:
    """Store the CPU of both machines on one day."""
    with desk.state.reading() as connection:
        (key,) = shards(connection, [ALPHA])
    arns = tuple(machine(number, ALPHA).arn for number in (STEADY, GROWING))
    samples = ShardSamples(arns, Window(day, day), {CPU: np.stack([cpu, cpu])})
    put_samples(desk.state, tiles, key, samples)


def test_machines_that_cannot_be_judged_are_counted_by_reason(desk: Desk, tiles: TileStore) -> None:
    make(desk, tiles)
    with desk.state.writing() as connection:
        resized = replace(machine(STEADY, ALPHA), instance_type="m5.large")
        upsert_resources(connection, [resized])
    desk.clock.moment = START + FORTNIGHT

    (score,) = make(desk, tiles)

    assert (score.machines, score.judged, score.changed, score.unseen) == (2, 0, 1, 1)
    assert (score.every.options, score.every.brier) == (0, None)


def test_of_accounts_that_opted_out_nothing_is_judged_and_nothing_kept(
    desk: Desk, tiles: TileStore
) -> None:
    make(desk, tiles)
    go_on(desk, tiles)
    desk.opt_out(ALPHA)

    purge_opted_out(desk.state, tiles, desk.clock, timedelta())

    with desk.state.reading() as connection:
        assert due_runs(connection, desk.clock.now()) == []
    assert make(desk, tiles) == []


def test_an_account_that_opted_out_and_is_not_purged_yet_is_gone(
    desk: Desk, tiles: TileStore
) -> None:
    make(desk, tiles)
    go_on(desk, tiles)
    desk.opt_out(ALPHA)

    (score,) = make(desk, tiles)

    assert (score.machines, score.gone, score.judged) == (2, 2, 0)


def test_a_score_whose_lease_was_lost_is_not_kept(desk: Desk, tiles: TileStore) -> None:
    make(desk, tiles)
    go_on(desk, tiles)

    def lost(_connection: object) -> None:
        raise Conflict("given to another process")

    with pytest.raises(Conflict):
        make_scores(desk.state, tiles, desk.clock, lost)
    with desk.state.reading() as connection:
        assert all_scores(connection) == []
    assert len(make(desk, tiles)) == 1
