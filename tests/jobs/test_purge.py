"""What opting out removes, and when."""

from datetime import date, timedelta

import numpy as np
import pytest

from compute_optimizer.errors import Conflict
from compute_optimizer.jobs.purge import purge_opted_out, purge_when_due
from compute_optimizer.model.metrics import (
    SLOTS_PER_DAY,
    MetricKey,
    ShardSamples,
    Statistic,
    Window,
)
from compute_optimizer.model.resource import EC2_INSTANCE, Resource, ShardKey
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import (
    Scope,
    begin_run,
    complete_run,
    current_run,
    write_result,
)
from compute_optimizer.store.inventory import shards, upsert_resources
from compute_optimizer.store.tiles import TileStore, tile_paths
from tests.enrolling import ALPHA, BETA, START, Desk
from tests.records import recommendation
from tests.samples import put_samples

GRACE = timedelta(days=7)
DAY = date(2026, 3, 14)
CPU = MetricKey("CPUUtilization", Statistic.MAXIMUM)


@pytest.fixture
def desk(state: State, tiles: TileStore) -> Desk:
    """Two enrolled accounts with metrics, inventory and recommendations."""
    desk = Desk(state)
    for account in (ALPHA, BETA):
        desk.opt_in(account)
        fill(state, tiles, account)
    desk.settle()
    return desk


def fill(state: State, tiles: TileStore, account: str) -> None:
    one = recommendation(1, account_id=account)
    resource = Resource(
        one.resource_arn, account, "us-east-1", EC2_INSTANCE, "i-1", one.current_instance_type
    )
    with state.writing() as connection:
        upsert_resources(connection, [resource])
        run_id = begin_run(connection, START, START)
        scope = Scope(account, "us-east-1", EC2_INSTANCE)
        write_result(connection, run_id, scope, [one], [], now=START)
        complete_run(connection, run_id, {scope}, START)
    series = {CPU: np.full((1, SLOTS_PER_DAY), 50.0, np.float32)}
    samples = ShardSamples((one.resource_arn,), Window(DAY, DAY), series)
    put_samples(state, tiles, ShardKey(account, "us-east-1", EC2_INSTANCE, 0), samples)


def left_behind(state: State, tiles: TileStore, account: str) -> set[str]:
    """Return the kinds of data that an account has."""
    with state.reading() as connection:
        found = {
            "tiles": any(key.account_id == account for key, _ in tile_paths(connection)),
            "inventory": bool(shards(connection, [account])),
            "recommendations": current_run(connection, Scope(account, "us-east-1", EC2_INSTANCE)),
        }
    found["files"] = any(tiles.root.rglob(f"account_id={account}/**/*.parquet"))
    return {kind for kind, there in found.items() if there}


EVERYTHING = {"tiles", "inventory", "recommendations", "files"}


def test_nothing_is_purged_inside_the_grace_period(desk: Desk, tiles: TileStore) -> None:
    desk.opt_out(ALPHA)
    desk.clock.tick(days=6, hours=23)
    assert purge_opted_out(desk.state, tiles, desk.clock, GRACE) == ()
    assert left_behind(desk.state, tiles, ALPHA) == EVERYTHING


def test_after_the_grace_period_everything_of_the_account_goes(
    desk: Desk, tiles: TileStore
) -> None:
    desk.opt_out(ALPHA)
    desk.clock.tick(days=7)
    assert purge_opted_out(desk.state, tiles, desk.clock, GRACE) == (ALPHA,)
    assert left_behind(desk.state, tiles, ALPHA) == set()
    assert left_behind(desk.state, tiles, BETA) == EVERYTHING


def test_purging_again_does_nothing(desk: Desk, tiles: TileStore) -> None:
    desk.opt_out(ALPHA)
    assert purge_opted_out(desk.state, tiles, desk.clock, timedelta()) == (ALPHA,)
    assert purge_opted_out(desk.state, tiles, desk.clock, timedelta()) == ()


def test_without_a_grace_period_it_goes_at_once(desk: Desk, tiles: TileStore) -> None:
    desk.opt_out(ALPHA)
    assert purge_when_due(desk.state, tiles, desk.clock, timedelta())
    assert left_behind(desk.state, tiles, ALPHA) == set()


def test_opting_in_again_inside_the_grace_period_brings_everything_back(
    desk: Desk, tiles: TileStore
) -> None:
    desk.opt_out(ALPHA)
    desk.clock.tick(days=6)
    desk.opt_in(ALPHA)
    desk.clock.tick(days=30)
    assert purge_opted_out(desk.state, tiles, desk.clock, GRACE) == ()
    assert left_behind(desk.state, tiles, ALPHA) == EVERYTHING


def test_a_repeated_opt_out_does_not_prolong_the_grace_period(desk: Desk, tiles: TileStore) -> None:
    desk.opt_out(ALPHA)
    desk.clock.tick(days=4)
    desk.opt_out(ALPHA)
    desk.clock.tick(days=3)
    assert purge_opted_out(desk.state, tiles, desk.clock, GRACE) == (ALPHA,)


def test_losing_trusted_access_or_being_suspended_purges_nothing(
    desk: Desk, tiles: TileStore
) -> None:
    desk.organize(ALPHA, BETA)
    desk.opt_in_all()
    desk.suspend(BETA)
    desk.trusted_access(False)
    desk.clock.tick(days=365)
    assert purge_opted_out(desk.state, tiles, desk.clock, GRACE) == ()
    assert left_behind(desk.state, tiles, ALPHA) == EVERYTHING


def test_opting_out_after_trusted_access_was_lost_starts_the_grace_period(
    desk: Desk, tiles: TileStore
) -> None:
    desk.organize(ALPHA)
    desk.opt_in_all()
    desk.trusted_access(False)
    desk.opt_out(ALPHA)
    desk.clock.tick(days=7)
    assert purge_opted_out(desk.state, tiles, desk.clock, GRACE) == (ALPHA,)


def test_what_an_analysis_wrote_late_goes_with_the_next_purge(desk: Desk, tiles: TileStore) -> None:
    desk.opt_out(ALPHA)
    desk.clock.tick(days=7)
    purge_opted_out(desk.state, tiles, desk.clock, GRACE)
    fill(desk.state, tiles, ALPHA)
    assert purge_when_due(desk.state, tiles, desk.clock, GRACE)
    assert left_behind(desk.state, tiles, ALPHA) == set()


def test_files_that_a_killed_purge_left_go_with_the_next(desk: Desk, tiles: TileStore) -> None:
    orphan = tiles.root / "current" / f"account_id={ALPHA}" / "region=us-east-1" / "x.parquet"
    orphan.parent.mkdir(parents=True, exist_ok=True)
    orphan.write_bytes(b"left behind")
    purge_opted_out(desk.state, tiles, desk.clock, GRACE)
    assert not orphan.exists()


def test_while_an_import_runs_purge_says_so_and_the_background_waits(
    desk: Desk, tiles: TileStore
) -> None:
    desk.opt_out(ALPHA)
    with tiles.locked():
        with pytest.raises(Conflict, match="import"):
            purge_opted_out(desk.state, tiles, desk.clock, timedelta())
        assert not purge_when_due(desk.state, tiles, desk.clock, timedelta())
    assert purge_when_due(desk.state, tiles, desk.clock, timedelta())
