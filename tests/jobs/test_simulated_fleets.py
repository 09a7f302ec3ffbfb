"""The fleets that a simulation asks: from the metric store and from trace files."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from compute_optimizer.errors import Conflict, InvalidInput
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.simulated_fleets import FleetPart, imported_fleet, traced_fleet, within
from compute_optimizer.model.metrics import MetricKey, Statistic, Window
from compute_optimizer.store import State
from compute_optimizer.store.inventory import upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests import fleets
from tests.enrolling import ALPHA, BETA, START, Desk, opt_in
from tests.stored_fleets import CPU, LAST_DAY, machine, store_fleet

AUGUST = "bitbrains_rnd_5min_aug2013.parquet"
AZURE = "azure2017_cpu_5min.parquet"
MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)
"""The end of the stored days."""

DAY = timedelta(days=1)


@pytest.fixture
def desk(sqlite_state: State) -> Desk:
    """ALPHA is opted in, BETA is not."""
    return opt_in(sqlite_state, ALPHA)


def test_the_imported_fleet_ends_with_its_newest_day(desk: Desk, tiles: TileStore) -> None:
    resources = store_fleet(desk.state, tiles, ALPHA, cpu=(10.0, 20.0), days=12)
    store_fleet(desk.state, tiles, BETA, days=13)

    fleet = imported_fleet(desk.state, tiles, desk.clock)

    (shard,) = fleet.shards
    assert fleet.as_of == MIDNIGHT
    assert fleet.days == Window(LAST_DAY - 11 * DAY, LAST_DAY)
    assert list(shard.resources) == resources
    assert shard.read(fleet.days).series[CPU][:, 0].tolist() == [10, 20]


def test_the_moment_of_the_newest_analysis_comes_first(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA)
    noon = datetime(2026, 3, 13, 12, tzinfo=UTC)
    analyze(desk.state, tiles, desk.clock, as_of=noon)

    fleet = imported_fleet(desk.state, tiles, desk.clock)

    cpu = fleet.shards[0].read(Window(LAST_DAY - DAY, LAST_DAY)).series[CPU]
    assert fleet.as_of == noon
    assert fleet.days.last == noon.date()
    # Half of 13 March is known, and nothing of 14 March.
    assert np.isfinite(cpu).sum() == 144


def test_a_part_is_one_account_and_region_and_of_many_every_nth(
    desk: Desk, tiles: TileStore
) -> None:
    here = store_fleet(desk.state, tiles, ALPHA, cpu=(10.0, 20.0, 30.0, 40.0, 50.0))
    store_fleet(desk.state, tiles, ALPHA, "eu-west-1", cpu=(60.0,))
    region = here[0].region

    # Of five at most two: every third, so that the first and the fourth are left.
    part = FleetPart(ALPHA, region, 2)
    fleet = imported_fleet(desk.state, tiles, desk.clock, part=part)
    (shard,) = fleet.shards
    assert fleet.instances == 5
    assert list(shard.resources) == [here[0], here[3]]
    assert shard.read(fleet.days).series[CPU][:, 0].tolist() == [10, 40]


def test_of_a_year_three_months_are_split(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA, last=LAST_DAY - 100 * DAY, days=1)
    store_fleet(desk.state, tiles, ALPHA, days=1)

    assert imported_fleet(desk.state, tiles, desk.clock).days.days == 93


def test_nobody_opted_in(sqlite_state: State, tiles: TileStore) -> None:
    with pytest.raises(Conflict, match="no account is opted in"):
        imported_fleet(sqlite_state, tiles, Desk(sqlite_state).clock)


def test_no_samples(desk: Desk, tiles: TileStore) -> None:
    with pytest.raises(InvalidInput, match="no samples of instances"):
        imported_fleet(desk.state, tiles, desk.clock)


def test_a_moment_before_all_samples_or_in_the_future(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA)

    with pytest.raises(InvalidInput, match="no sample is older than 2026-01-01"):
        imported_fleet(desk.state, tiles, desk.clock, datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(InvalidInput, match="expected a moment"):
        imported_fleet(desk.state, tiles, desk.clock, START + DAY)


def test_an_inventory_that_changes_meanwhile_is_noticed(desk: Desk, tiles: TileStore) -> None:
    store_fleet(desk.state, tiles, ALPHA)
    fleet = imported_fleet(desk.state, tiles, desk.clock)
    with desk.state.writing() as connection:
        upsert_resources(connection, [machine(7, ALPHA)])

    with pytest.raises(Conflict, match="the inventory changed"):
        fleet.shards[0].read(fleet.days)


def test_days_outside_of_the_samples_are_unknown() -> None:
    level = np.repeat([1.0, 2.0], 288)[None]
    samples = fleets.shard([fleets.instance(0, "m5.large")], {fleets.CPU: level}, days=2)
    first = samples.window.first

    found = within(samples, Window(first - DAY, first + 2 * DAY)).series[fleets.CPU]
    later = within(samples, Window(first + DAY, first + DAY)).series[fleets.CPU]
    before = within(samples, Window(first - 3 * DAY, first - 2 * DAY)).series[fleets.CPU]
    after = within(samples, Window(first + 2 * DAY, first + 3 * DAY)).series[fleets.CPU]

    np.testing.assert_array_equal(found[0, ::288], [np.nan, 1, 2, np.nan])
    assert (later == 2).all() and later.shape == (1, 288)
    for empty in (before, after):
        assert np.isnan(empty).all() and empty.shape == (1, 576)


def test_machines_of_a_trace_stand_on_types_and_keep_their_capacity(shared: Path) -> None:
    fleet = traced_fleet(shared / "traces" / AUGUST)

    (shard,) = fleet.shards
    samples = shard.read(fleet.days)
    # August 2013; 250 machines, of CPU, memory, disk and network.
    assert fleet.days == Window(date(2013, 8, 1), date(2013, 8, 30))
    assert len(shard.resources) == 250
    assert {key.metric for key in samples.series} == {
        "CPUUtilization",
        "mem_used_percent",
        "VolumeReadBytes",
        "NetworkIn",
    }
    for name in ("CPUUtilization", "mem_used_percent"):
        percent = samples.series[MetricKey(name, Statistic.AVERAGE)]
        assert 50 < np.nanmax(percent) <= 100.001
    assert all(one.vcpus and one.memory_mib for one in shard.resources)


def test_a_trace_without_memory_leaves_it_to_the_type(shared: Path) -> None:
    fleet = traced_fleet(shared / "traces" / AZURE, Statistic.MAXIMUM)

    (shard,) = fleet.shards
    assert {one.memory_mib for one in shard.resources} == {None}
    assert {one.vcpus for one in shard.resources} == {4.0}
    assert len({one.instance_type for one in shard.resources}) == 1
