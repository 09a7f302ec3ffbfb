"""A generated fleet that was tested on its own past, and what was predicted of it each day."""

from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from compute_optimizer.config import load_settings
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.quality import backtest_fleets
from compute_optimizer.model.forecast import AccountScore, Counted, Score
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store import State
from compute_optimizer.store.backtests import backtests_of, save_backtests
from compute_optimizer.store.forecasts import save_score
from compute_optimizer.store.tiles import TileStore
from tests.stored_fleets import store_fleet

MACHINES = 60
DAYS = 42
"""Two test windows."""

SCORED_DAYS = 20
WEEKS_BEFORE = 12
NONE = Counted(0, 0.0, 0, (0.0, 0.0), None)


def store_tested(folder: Path, account: str) -> None:
    """Store machines from idle to busy, their backtest, and made-up scores of some days."""
    settings, clock = load_settings({"data_dir": folder, "auth": "off"}, {}), SystemClock()
    with closing(State(settings.state_url)) as state:
        state.migrate()
        change_enrollment(state, clock, account, "Active")
        tiles = TileStore(settings.tiles_dir)
        yesterday = clock.now().date() - timedelta(days=1)
        levels = np.linspace(2, 97, MACHINES).tolist()
        store_fleet(state, tiles, account, cpu=levels, last=yesterday, days=DAYS)
        backtest_fleets(state, tiles, clock)
        with state.writing() as connection:
            _store_weeks_before(connection, account)
            for number in range(SCORED_DAYS):
                day = datetime.now(UTC) - timedelta(days=number + 15)
                score = AccountScore(account, 60, 1.5 + number % 4 / 2, number % 3)
                told = Score(str(number), day, day, 60, 60, 0, 0, 0, NONE, NONE, (), (score,))
                save_score(connection, told)


def _store_weeks_before(connection: Connection, account: str) -> None:
    """Store backtests of the weeks before like the last one, which stays it; violations differ."""
    (last,) = backtests_of(connection, account).values()
    for number in range(WEEKS_BEFORE, -1, -1):
        report = deepcopy(dict(last.report))
        for origin in report["origins"]:
            for told in origin["calibration"].values():
                told["observed"] += number % 3
        made_at = last.made_at - timedelta(weeks=number)
        save_backtests(connection, [replace(last, made_at=made_at, report=report)])
