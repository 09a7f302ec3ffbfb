"""An analysis from days in short stores what one from all samples stores."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from compute_optimizer.catalog import load_instance_types
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.model.preferences import CALIBRATED
from compute_optimizer.scenario.fleet import generate_fleet
from compute_optimizer.scenario.samples import generate_samples
from compute_optimizer.store import State
from compute_optimizer.store.inventory import place, resources_of, shards, upsert_resources
from compute_optimizer.store.schema import metadata
from compute_optimizer.store.tile_places import CURRENT
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, BETA, Desk, opt_in
from tests.fleets import CPU
from tests.page_cache import forget, in_memory
from tests.samples import put_samples
from tests.stored_fleets import store_fleet
from tests.waiting import wait_until

LAST = date(2026, 3, 14)
END = datetime(2026, 3, 15, tzinfo=UTC)
SIZE = 60
PER_RUN = ("recommendations", "recommendation_errors", "idle_recommendations", "run_summaries")
"""Tables of what an analysis finds."""

OWN_NAMES = ("run_id", "part")
"""Columns by which a run and its writes are told apart."""


@pytest.fixture
def desk(sqlite_state: State, tiles: TileStore) -> Desk:
    """The demo's instances and fifteen days of their samples; their accounts are opted in."""
    desk = Desk(sqlite_state)
    store_demo(desk, tiles)
    return desk


def store_demo(desk: Desk, tiles: TileStore) -> None:
    machines = generate_fleet(7, SIZE)
    fleet = [machine.resource for machine in machines]
    samples = generate_samples(
        machines, Window(LAST - timedelta(days=14), LAST), load_instance_types(), 7
    )
    for account in sorted({one.account_id for one in fleet}):
        desk.opt_in(account)
    desk.settle()
    with desk.state.writing() as connection:
        upsert_resources(connection, fleet)
        keys = place(connection, fleet)
    row_of = {one.arn: row for row, one in enumerate(fleet)}
    for key in set(keys.values()):
        with desk.state.reading() as connection:
            arns = tuple(one.arn for one in resources_of(connection, key))
        put_samples(
            desk.state,
            tiles,
            key,
            replace(samples.rows([row_of[arn] for arn in arns]), resource_arns=arns),
        )


def stored(desk: Desk, tiles: TileStore, **options: Any) -> dict[str, list[str]]:
    """Return all that an analysis stores, table by table, but for the names of its writes."""
    run = analyze(desk.state, tiles, desk.clock, workers=1, **{"as_of": END, **options})
    found = {}
    with desk.state.reading() as connection:
        for name in PER_RUN:
            table = metadata.tables[name]
            columns = [column for column in table.c if column.name not in OWN_NAMES]
            rows = connection.execute(select(*columns).where(table.c.run_id == run.run_id))
            found[name] = sorted(repr(tuple(row)) for row in rows)
    return found


def test_the_demo_is_found_alike_by_the_first_and_by_a_daily_analysis(
    desk: Desk, tiles: TileStore
) -> None:
    whole = stored(desk, tiles, in_short=False)
    assert not (tiles.root / "digests").exists()

    first, daily = stored(desk, tiles), stored(desk, tiles)

    assert first == daily == whole
    assert len(whole["recommendations"]) > SIZE / 2


def test_late_samples_and_the_edge_of_a_day_are_found_alike(desk: Desk, tiles: TileStore) -> None:
    before = stored(desk, tiles)
    with desk.state.reading() as connection:
        key, *_ = shards(connection)
        fleet = resources_of(connection, key)
    # A spike that comes in late for the third last day, and an analysis in the afternoon.
    spike = np.full((len(fleet), SLOTS_PER_DAY), np.nan, np.float32)
    spike[:, 30:90] = 99.5
    day = LAST - timedelta(days=2)
    late = ShardSamples(tuple(one.arn for one in fleet), Window(day, day), {CPU: spike})
    put_samples(desk.state, tiles, key, late)

    short = stored(desk, tiles)

    assert short == stored(desk, tiles, in_short=False)
    assert short != before
    afternoon = END - timedelta(hours=9)
    assert stored(desk, tiles, as_of=afternoon) == stored(
        desk, tiles, as_of=afternoon, in_short=False
    )


def test_predicted_risks_are_found_alike(desk: Desk, tiles: TileStore) -> None:
    assert stored(desk, tiles, profile=CALIBRATED) == stored(
        desk, tiles, profile=CALIBRATED, in_short=False
    )


def test_while_a_shard_is_computed_the_tiles_of_the_next_are_fetched(
    sqlite_state: State, tiles: TileStore
) -> None:
    desk = opt_in(sqlite_state, ALPHA, BETA)
    for account in (ALPHA, BETA):
        store_fleet(sqlite_state, tiles, account, days=1)
    (later,) = (tiles.root / CURRENT / f"account_id={BETA}").rglob("*.parquet")
    forget(later)
    fetched = []

    def look(done: int, total: int) -> None:
        fetched.append(done == total or wait_until(lambda: in_memory(later)))

    analyze(sqlite_state, tiles, desk.clock, as_of=END, workers=1, progress=look)
    assert fetched == [True, True]
