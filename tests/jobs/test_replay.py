"""The replay of the metric store, and of the demo's generated fleet."""

from datetime import date, timedelta

import numpy as np
import pytest

from compute_optimizer.errors import Conflict, InvalidInput
from compute_optimizer.jobs.replay import demo_past, replay, replayed_type, stored_past
from compute_optimizer.model.metrics import SLOTS_PER_DAY, ShardSamples, Window
from compute_optimizer.store import State
from compute_optimizer.store.inventory import place, upsert_resources
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import MANAGEMENT, Desk, opt_in
from tests.samples import put_samples
from tests.stored_fleets import LAST_DAY
from tests.volumes import READ_BYTES, READ_OPS, use, volume

VOLUMES = replayed_type("EbsVolume")


def store(state: State, tiles: TileStore, days: int) -> Desk:
    """Store a gp2 volume of 500 GiB that does more in its last two weeks."""
    desk = opt_in(state, MANAGEMENT)
    disks = [volume(1, "gp2", 500), volume(2, "gp3", 100)]
    with state.writing() as connection:
        upsert_resources(connection, disks)
        key = place(connection, disks)[disks[0].arn]
    flow = np.full((2, days * SLOTS_PER_DAY), 10.0)
    flow[0, -14 * SLOTS_PER_DAY :] = 200
    series = {
        name: np.broadcast_to(values, flow.shape).astype(np.float32)
        for name, values in use(100, flow).items()
    }
    window = Window(LAST_DAY - timedelta(days=days - 1), LAST_DAY)
    samples = ShardSamples(tuple(one.arn for one in disks), window, series)
    put_samples(state, tiles, key, samples)
    return desk


def test_the_store_is_replayed_over_tests_that_follow_each_other(
    sqlite_state: State, tiles: TileStore
) -> None:
    desk = store(sqlite_state, tiles, days=43)

    report = replay(stored_past(desk.state, tiles, VOLUMES))

    # 43 days end in two whole tests: from day 15 and from day 29.
    assert [one["origin"] for one in report["origins"]] == ["2026-02-15", "2026-03-01"]
    first, second = report["origins"]
    assert (first["resources"], first["scored"], first["violated"]) == (2, 2, 0)
    # gp3 with 125 MiB/s was advised to the first, and it comes to 200.
    assert (second["violated"], second["violations"]) == (1, 0.5)
    assert report["overall"]["violations"] == 0.25
    # 50 and 8 a month, of which 10 are saved at both origins.
    assert report["overall"]["savings"] == pytest.approx(10 / 58)
    assert report["fleet"]["days"] == 43


def test_an_origin_may_be_named_and_needs_days_on_both_sides(
    sqlite_state: State, tiles: TileStore
) -> None:
    past = stored_past(store(sqlite_state, tiles, days=30).state, tiles, VOLUMES)

    report = replay(past, [date(2026, 3, 10)])

    assert [one["origin"] for one in report["origins"]] == ["2026-03-10"]
    for origin in (past.window.first + timedelta(days=13), LAST_DAY + timedelta(days=1)):
        with pytest.raises(InvalidInput, match="expected 2026-02-27 to 2026-03-14"):
            replay(past, [origin])


def test_too_short_a_past_is_refused_with_what_it_takes(
    sqlite_state: State, tiles: TileStore
) -> None:
    past = stored_past(store(sqlite_state, tiles, days=27).state, tiles, VOLUMES)

    with pytest.raises(InvalidInput, match="27 days of samples; a backtest needs 14 days"):
        replay(past)


def test_a_type_without_samples_is_named(sqlite_state: State, tiles: TileStore) -> None:
    desk = store(sqlite_state, tiles, days=28)

    with pytest.raises(InvalidInput, match="no samples of functions"):
        stored_past(desk.state, tiles, replayed_type("LambdaFunction"))


def test_nobody_opted_in_is_a_conflict(sqlite_state: State, tiles: TileStore) -> None:
    with pytest.raises(Conflict, match="no account is opted in"):
        stored_past(sqlite_state, tiles, VOLUMES)


def test_types_that_are_not_replayed_are_refused() -> None:
    with pytest.raises(InvalidInput, match="NatGateway is not replayed; expected one of Ebs"):
        replayed_type("NatGateway")


@pytest.mark.parametrize(
    "resource_type", ["EbsVolume", "EcsService", "LambdaFunction", "RdsDBInstance"]
)
def test_the_demo_is_replayed_the_same_every_time(resource_type: str) -> None:
    kind = replayed_type(resource_type)

    report = replay(demo_past(kind, size=60))

    assert report == replay(demo_past(kind, size=60))
    assert len(report["origins"]) == 3
    overall = report["overall"]
    assert overall["scored"] > 0
    assert 0 <= overall["violations"] < 0.2
    assert overall["scored"] + overall["clipped"] == overall["judged"]


def test_rows_of_the_demo_are_those_of_its_resources() -> None:
    past = demo_past(VOLUMES, size=60)
    (part,) = past.parts
    ((resources, samples),) = part.read(past.window)

    assert [one.arn for one in resources] == list(samples.resource_arns)
    assert {READ_OPS, READ_BYTES} <= samples.series.keys()
    assert samples.series[READ_OPS].shape == (len(resources), 56 * SLOTS_PER_DAY)
