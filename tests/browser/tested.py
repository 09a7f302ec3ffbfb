"""A generated fleet that was tested on its own past, and what was predicted of it each day."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from compute_optimizer.config import load_settings
from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.quality import backtest_fleets
from compute_optimizer.model.forecast import AccountScore, Counted, Score
from compute_optimizer.operations.enrollment import change_enrollment
from compute_optimizer.store import State
from compute_optimizer.store.forecasts import save_score
from compute_optimizer.store.tiles import TileStore
from tests.stored_fleets import store_fleet

MACHINES = 60
DAYS = 42
"""Two test windows."""

SCORED_DAYS = 20
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
            for number in range(SCORED_DAYS):
                day = datetime.now(UTC) - timedelta(days=number + 15)
                score = AccountScore(account, 60, 1.5 + number % 4 / 2, number % 3)
                told = Score(str(number), day, day, 60, 60, 0, 0, 0, NONE, NONE, (), (score,))
                save_score(connection, told)
