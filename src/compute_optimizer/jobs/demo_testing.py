"""The demo tests itself: days before those that it shows are brought in, and the advice is tested.

The recommendations need 14 days, a backtest 14 more; the demo serves before these are there.
"""

from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from compute_optimizer.backtest.headline import window_of
from compute_optimizer.backtest.trial import TEST_DAYS, TRAIN_DAYS
from compute_optimizer.interfaces import Clock
from compute_optimizer.jobs.demo import generate_estate, metrics_table, samples_of
from compute_optimizer.jobs.ingest import ImportRequest, ingest
from compute_optimizer.model.backtested import DEMO, QueuedBacktest
from compute_optimizer.model.metrics import ShardSamples, Window
from compute_optimizer.model.preferences import DEFAULT_PREFERENCES
from compute_optimizer.model.resource import EC2_INSTANCE
from compute_optimizer.scenario.organization import ACCOUNTS, MANAGEMENT_ACCOUNT_ID
from compute_optimizer.store import State
from compute_optimizer.store.backtests import backtests_of, request_backtest
from compute_optimizer.store.inventory import resources_of, shards
from compute_optimizer.store.tiles import TileStore, tile_paths

TESTED_DAYS = TRAIN_DAYS + TEST_DAYS
"""One test window: a second one would take as long again."""


def ask_for_test(state: State, clock: Clock, last_day: date) -> bool:
    """Ask for a backtest unless it was made of the days up to the last; return whether."""
    with state.writing() as connection:
        tested = backtests_of(connection, MANAGEMENT_ACCOUNT_ID).get(EC2_INSTANCE)
        days = tested and window_of(tested)
        if days and days[1] >= last_day:
            return False
        request_backtest(connection, QueuedBacktest(MANAGEMENT_ACCOUNT_ID, clock.now(), DEMO))
    return True


def bring_in_past(
    state: State, tiles: TileStore, clock: Clock, folder: Path, last_day: date
) -> bool:
    """Import what the demo's fleet sent before the days that it shows; return whether it lacked."""
    first = last_day - timedelta(days=TESTED_DAYS - 1)
    shown = last_day - timedelta(days=DEFAULT_PREFERENCES.lookback_days)
    with state.reading() as connection:
        # What is only idle has sent more days from the beginning.
        if any(
            day <= first for key, day in tile_paths(connection) if key.resource_type == EC2_INSTANCE
        ):
            return False
        accounts = [one.account_id for one in ACCOUNTS]
        known = {
            one.arn for key in shards(connection, accounts) for one in resources_of(connection, key)
        }
    with TemporaryDirectory(dir=folder, prefix="past-") as there:
        files = _written(Path(there), Window(first, shown), known)
        ingest(state, tiles, clock, ImportRequest(metrics=files))
    return True


def _written(folder: Path, window: Window, known: Collection[str]) -> tuple[Path, ...]:
    """Write what the resources of the inventory sent in the window; return the files."""
    files = []
    for number, samples in enumerate(samples_of(generate_estate(), window)):
        # What idles sends the days of its own rule only.
        rows = [row for row, arn in enumerate(samples.resource_arns) if arn in known]
        if samples.window == window and rows:
            path = folder / f"{number}.parquet"
            pq.write_table(metrics_table(_rows(samples, rows)), path)
            files.append(path)
    return tuple(files)


def _rows(samples: ShardSamples, rows: list[int]) -> ShardSamples:
    return samples if len(rows) == len(samples.resource_arns) else samples.rows(rows)
