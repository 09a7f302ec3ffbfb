"""An analysis: who is analyzed, over which samples, and when readers see it."""

import gc
import shutil
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from compute_optimizer.errors import Conflict, InvalidInput, StoreUnavailable
from compute_optimizer.jobs.analyze import AnalysisRun, analyze
from compute_optimizer.jobs.executors import local
from compute_optimizer.jobs.readings import forget_after
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, Window, look_back
from compute_optimizer.model.recommendation import Ec2InstanceRecommendation
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.store import State, disk_space
from compute_optimizer.store.analysis_runs import RUN_KEPT, Scope, current_run, is_readable
from compute_optimizer.store.recommendations import read_errors, read_page
from compute_optimizer.store.schema import runs
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, BETA, GAMMA, START, Desk, opt_in
from tests.records import REGION, arn
from tests.stored_fleets import BUSY, CPU, LAST_DAY, QUIET, store_fleet

SCOPE = Scope(ALPHA, REGION, EC2_INSTANCE)
MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)
"""The end of the stored days."""


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    """ALPHA and BETA are opted in."""
    return enrolled(sqlite_state)


def enrolled(state: State) -> Desk:
    return opt_in(state, ALPHA, BETA)


def run(desk: Desk, tiles: TileStore, **options: Any) -> AnalysisRun:
    return analyze(desk.state, tiles, desk.clock, **{"workers": 1, **options})


def seen(desk: Desk, run_id: str | None = None) -> list[Ec2InstanceRecommendation]:
    """Return what readers of ALPHA's Region see, in the current run or in the given one."""
    with desk.state.reading() as connection:
        chosen = run_id or current_run(connection, SCOPE)
        if chosen is None:
            return []
        return read_page(connection, chosen, SCOPE, Ec2InstanceRecommendation, limit=1_000)


def findings(desk: Desk) -> list[str]:
    return [one.finding.value for one in seen(desk)]


def errors_of(desk: Desk) -> list[str]:
    with desk.state.reading() as connection:
        run_id = current_run(connection, SCOPE)
        assert run_id is not None
        return [one.code for one in read_errors(connection, run_id, SCOPE)]


# Who


def test_tiles_become_recommendations_on_both_databases(state: State, tiles: TileStore) -> None:
    desk = enrolled(state)
    store_fleet(state, tiles, ALPHA, cpu=(QUIET, BUSY))

    analysis = run(desk, tiles)

    assert findings(desk) == ["Overprovisioned", "Underprovisioned"]
    assert analysis.tally.findings == {"Overprovisioned": 1, "Underprovisioned": 1}
    assert analysis.tally.resources == 2
    assert analysis.tally.monthly_savings == pytest.approx(
        next(o.savings.monthly_usd for o in seen(desk)[0].options if o.savings)
    )


def test_only_opted_in_accounts_are_analyzed(desk: Desk, tiles: TileStore) -> None:
    for account in (ALPHA, GAMMA):
        store_fleet(desk.state, tiles, account)

    assert run(desk, tiles).accounts == (ALPHA, BETA)

    with desk.state.reading() as connection:
        assert current_run(connection, SCOPE._replace(account_id=GAMMA)) is None


def test_accounts_that_were_named_are_analyzed_alone(desk: Desk, tiles: TileStore) -> None:
    for account in (ALPHA, BETA):
        store_fleet(desk.state, tiles, account)
    first = run(desk, tiles)

    second = run(desk, tiles, accounts=[BETA])

    with desk.state.reading() as connection:
        assert current_run(connection, SCOPE) == first.run_id
        assert current_run(connection, SCOPE._replace(account_id=BETA)) == second.run_id


def test_naming_an_account_that_is_not_opted_in_is_refused(desk: Desk, tiles: TileStore) -> None:
    with pytest.raises(Conflict, match=f"not opted in.*{GAMMA}"):
        run(desk, tiles, accounts=[ALPHA, GAMMA])


def test_the_garbage_collector_is_on_again_after_a_shard_and_after_a_failure(
    desk: Desk, tiles: TileStore
) -> None:
    store_fleet(desk.state, tiles, ALPHA)
    run(desk, tiles)
    assert gc.isenabled()

    for tile in (tiles.root / "current").rglob("*.parquet"):
        tile.unlink()
    with pytest.raises(StoreUnavailable):
        run(desk, tiles)
    assert gc.isenabled()


def test_a_run_without_room_on_the_disk_is_refused_before_it_begins(
    desk: Desk, tiles: TileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_fleet(desk.state, tiles, ALPHA)
    first = run(desk, tiles)
    # As if each recommendation were as large as the whole disk.
    monkeypatch.setattr(disk_space, "RUN_BYTES", shutil.disk_usage(tiles.root).total)

    with pytest.raises(StoreUnavailable, match=r"GiB free, and recommendations for"):
        run(desk, tiles)

    with desk.state.reading() as connection:
        assert current_run(connection, SCOPE) == first.run_id
        assert connection.execute(select(runs.c.run_id)).scalars().all() == [first.run_id]


def test_without_any_opted_in_account_it_says_how_to_opt_in(
    sqlite_state: State, tiles: TileStore
) -> None:
    with pytest.raises(Conflict, match="UpdateEnrollmentStatus"):
        run(Desk(sqlite_state), tiles)


# Which samples


def test_samples_after_the_moment_are_not_looked_at(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=(QUIET,), last=LAST_DAY - timedelta(days=2))
    store_fleet(desk.state, tiles, ALPHA, cpu=(BUSY,), days=2)

    run(desk, tiles)
    with_them = findings(desk)
    run(desk, tiles, as_of=MIDNIGHT - timedelta(days=2))
    without = findings(desk)

    # Two of fourteen days are 14 % of the samples: far more than P99.5 forgives.
    assert with_them == ["Underprovisioned"]
    assert without == ["Overprovisioned"]
    assert seen(desk)[0].last_refresh == MIDNIGHT - timedelta(days=2)


def test_thirty_hours_of_samples_are_enough_and_less_are_not(desk: Desk, tiles: TileStore) -> None:
    # 1 day and 6 hours are 360 slots; the slot that begins at the moment is not looked at.
    store_fleet(desk.state, tiles, ALPHA, days=2)
    moment = MIDNIGHT - timedelta(hours=18)

    run(desk, tiles, as_of=moment - timedelta(minutes=5))
    assert errors_of(desk) == ["INSUFFICIENT_METRIC_DATA"]
    run(desk, tiles, as_of=moment)
    assert errors_of(desk) == []
    assert len(seen(desk)) == 1


@pytest.mark.parametrize(
    ("moment", "last"),
    [
        (MIDNIGHT, date(2026, 3, 14)),
        (MIDNIGHT + timedelta(microseconds=1), date(2026, 3, 15)),
        (datetime(2026, 3, 15, 23, 59, tzinfo=UTC), date(2026, 3, 15)),
    ],
)
def test_the_look_back_period_ends_with_the_day_that_the_moment_ends_in(
    moment: datetime, last: date
) -> None:
    # 14 days with both ends: 13 days lie between them.
    assert look_back(moment, 14) == Window(last - timedelta(days=13), last)


@pytest.mark.parametrize(
    ("after_midnight", "known"),
    [
        (timedelta(), 0),
        (timedelta(seconds=1), 1),
        (timedelta(minutes=5), 1),
        (timedelta(minutes=5, seconds=1), 2),
        (timedelta(days=1), SLOTS_PER_DAY),
    ],
)
def test_slots_that_begin_at_the_moment_or_later_are_blanked(
    after_midnight: timedelta, known: int
) -> None:
    day = Window(date(2026, 3, 14), date(2026, 3, 14))
    samples = ShardSamples(("a",), day, {CPU: np.ones((1, SLOTS_PER_DAY), np.float32)})

    forget_after(samples, datetime(2026, 3, 14, tzinfo=UTC) + after_midnight)

    left = np.isfinite(samples.series[CPU][0])
    assert left[:known].all()
    assert not left[known:].any()


def test_samples_outside_the_period_alone_are_an_error_that_names_the_newest(
    desk: Desk, tiles: TileStore
) -> None:
    store_fleet(desk.state, tiles, ALPHA, last=date(2025, 6, 30))

    with pytest.raises(InvalidInput, match=r"newest one is of 2025-06-30.*--as-of 2025-06-30"):
        run(desk, tiles)
    assert seen(desk) == []


@pytest.mark.parametrize("moment", [START + timedelta(seconds=1), datetime(1, 1, 1, tzinfo=UTC)])
def test_a_moment_that_cannot_be_is_refused(desk: Desk, tiles: TileStore, moment: datetime) -> None:
    with pytest.raises(InvalidInput, match="expected a moment"):
        run(desk, tiles, as_of=moment)


def test_instances_without_any_sample_get_an_error_each(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA, cpu=(float("nan"), QUIET))

    analysis = run(desk, tiles)

    assert analysis.tally.errors == {"INSUFFICIENT_METRIC_DATA": 1}
    assert errors_of(desk) == ["INSUFFICIENT_METRIC_DATA"]
    assert [one.resource_arn for one in seen(desk)] == [arn(1, ALPHA)]


# What readers see


def test_nothing_is_visible_before_every_shard_is_done(desk: Desk, tiles: TileStore) -> None:
    regions = (REGION, "eu-west-1", "ap-south-1")
    for region in regions:
        store_fleet(desk.state, tiles, ALPHA, region)
    visible: list[int] = []

    def look(done: int, total: int) -> None:
        assert total == len(regions)
        with desk.state.reading() as connection:
            visible.append(len(by_savings(connection)))

    run(desk, tiles, progress=look)

    assert visible == [0, 0, 0]
    with desk.state.reading() as connection:
        assert len(by_savings(connection)) == len(regions)


def test_a_shard_that_cannot_be_read_leaves_the_former_run(desk: Desk, tiles: TileStore) -> None:
    for region in (REGION, "eu-west-1"):
        store_fleet(desk.state, tiles, ALPHA, region)
    former = run(desk, tiles)
    for file in tiles.root.rglob("region=us-east-1/**/*.parquet"):
        file.write_bytes(b"damaged")

    with pytest.raises(StoreUnavailable, match="us-east-1"):
        run(desk, tiles)

    assert seen(desk) == seen(desk, former.run_id)
    assert len(seen(desk)) == 1


def test_the_former_run_stays_readable_for_a_day_and_goes_with_the_next_analysis(
    desk: Desk, tiles: TileStore
) -> None:
    store_fleet(desk.state, tiles, ALPHA)
    first = run(desk, tiles)
    desk.clock.tick(hours=1)
    second = run(desk, tiles)

    def readable(run_id: str) -> bool:
        with desk.state.reading() as connection:
            return is_readable(connection, run_id, SCOPE, desk.clock.now())

    desk.clock.moment += RUN_KEPT
    assert readable(first.run_id)
    assert len(seen(desk, first.run_id)) == 1
    desk.clock.tick()
    assert not readable(first.run_id)
    run(desk, tiles)
    assert seen(desk, first.run_id) == []
    assert readable(second.run_id)


# Several processes


def test_more_workers_find_the_same(
    desk: Desk, tiles: TileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in (ALPHA, BETA):
        for region in (REGION, "eu-west-1"):
            store_fleet(desk.state, tiles, account, region, cpu=(QUIET, BUSY, 50.0))
    alone = run(desk, tiles, workers=1)
    found = seen(desk)
    monkeypatch.setattr(local, "RESOURCES_PER_PROCESS", 1)
    processes: set[int] = set()

    def starting(*arguments: Any) -> Any:
        processes.add(arguments[0])
        return ProcessPoolExecutor(*arguments)

    monkeypatch.setattr(local, "ProcessPoolExecutor", starting)
    together = run(desk, tiles, workers=2)

    # This process is the first of the two.
    assert processes == {1}
    assert together.tally == alone.tally
    assert seen(desk) == found
    assert together.tally.resources == 12
