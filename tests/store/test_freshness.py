"""Freshness on both kinds of databases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.store import State
from compute_optimizer.store.analysis_runs import Scope, begin_run, complete_run, write_result
from compute_optimizer.store.freshness import Freshness, freshness, state_bytes, tile_bytes
from compute_optimizer.store.summaries import current_tallies
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, BETA, START
from tests.records import REGION, recommendation
from tests.stored_fleets import LAST_DAY, store_fleet


def test_each_scope_tells_its_resources_samples_and_recommendations(
    state: State, tmp_path: Path
) -> None:
    tiles = TileStore(tmp_path / "tiles")
    store_fleet(state, tiles, ALPHA, cpu=(10.0, 20.0), days=3)
    scope = Scope(BETA, REGION, EC2_INSTANCE)
    with state.writing() as connection:
        run_id = begin_run(connection, START, START)
        write_result(connection, run_id, scope, [recommendation(1, account_id=BETA)], [], now=START)
        complete_run(connection, run_id, {scope}, START)

    with state.reading() as connection:
        found = freshness(connection, LAST_DAY - timedelta(days=1))

        assert found == [
            Freshness(
                Scope(ALPHA, REGION, EC2_INSTANCE),
                resources=2,
                newest_sample=datetime(2026, 3, 14, 23, 55, tzinfo=UTC),
                days=2,
            ),
            Freshness(scope, as_of=START, recommendations=1),
        ]
        assert state_bytes(connection) > 0
        (tally,) = (
            one for one in current_tallies(connection)[EC2_INSTANCE] if one.topic == "finding"
        )
    assert (tally.name, tally.resources) == ("Overprovisioned", 1)
    files, size = tile_bytes(tiles)
    assert (files, size > 0) == (3, True)


def test_an_empty_state_has_nothing(state: State, tmp_path: Path) -> None:
    with state.reading() as connection:
        assert freshness(connection, LAST_DAY) == []
    assert tile_bytes(TileStore(tmp_path / "nowhere")) == (0, 0)
