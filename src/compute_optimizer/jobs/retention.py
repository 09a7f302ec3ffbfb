"""Forget what is older than anybody asks to be kept: day tiles, scores, and runs of jobs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from compute_optimizer.errors import InvalidInput
from compute_optimizer.interfaces import Clock
from compute_optimizer.model.account import check_account_id
from compute_optimizer.model.effective_preferences import LONGEST_LOOK_BACK
from compute_optimizer.model.event import KEPT as EVENTS_KEPT
from compute_optimizer.model.metrics import look_back
from compute_optimizer.model.spans import CENTURY_DAYS
from compute_optimizer.store import State
from compute_optimizer.store.expiry import remove_expired
from compute_optimizer.store.forecasts import remove_scores_before
from compute_optimizer.store.job_runs import remove_runs_before
from compute_optimizer.store.outbox import remove_events_before
from compute_optimizer.store.tiles import TileStore, forget_days, sweep, tiled_accounts

JOB_RUNS_KEPT = timedelta(days=30)
"""How long ended runs of jobs stay on record: some are a hundred a day."""

_NUMBER = re.compile(r"\d{1,6}", re.ASCII)

EXPECTED = (
    f"expected entries such as 111111111111=120, of at most {CENTURY_DAYS}, with commas between"
)


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days of metrics are kept; 0 keeps them for ever."""

    days: int
    by_account: Mapping[str, int] = field(default_factory=dict)
    """Accounts that are kept for longer or shorter."""

    def of(self, account_id: str) -> int:
        """Return the days that are kept of an account."""
        return self.by_account.get(account_id, self.days)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed."""

    tiles: int
    job_runs: int
    scores: int
    events: int = 0
    """For webhooks."""
    expired: int = 0
    """Rows that were over by themselves, such as what-ifs: where nothing serves, nobody else
    looks for them."""


def parse_retention(days: int, by_account: str, *, below_look_back: bool) -> Retention:
    """Return what the settings ask for; raise InvalidInput for what an analysis would miss."""
    found = dict(_entry(one) for one in by_account.split(",") if one.strip())
    for kept in (days, *found.values()):
        if 0 < kept < LONGEST_LOOK_BACK and not below_look_back:
            raise InvalidInput(
                f"{kept} days are fewer than the {LONGEST_LOOK_BACK} that an analysis may look "
                "back; keep as many, 0 for ever, or set retention_below_look_back"
            )
    return Retention(days, found)


def _entry(text: str) -> tuple[str, int]:
    account, _, days = (part.strip() for part in text.partition("="))
    if not _NUMBER.fullmatch(days) or int(days) > CENTURY_DAYS:
        raise InvalidInput(f"{text.strip()!r} names no number of days; {EXPECTED}")
    return check_account_id(account), int(days)


def retain(
    state: State,
    tiles: TileStore,
    clock: Clock,
    retention: Retention,
    fence: Callable[[Connection], None] = lambda connection: None,
) -> Forgotten:
    """Remove what is older than the retention and return how much that was.

    One transaction; readers that began before still find the files for a while. `fence` is called
    in it, and may raise to prevent it. Raises Conflict while an import runs.
    """
    now = clock.now()
    with tiles.locked():
        with state.writing() as connection:
            fence(connection)
            removed = []
            for account_id in tiled_accounts(connection):
                if days := retention.of(account_id):
                    first = look_back(now, days).first
                    removed += forget_days(connection, account_id, first)
            scores = _forget_scores(connection, now, retention)
            runs = remove_runs_before(connection, now - JOB_RUNS_KEPT)
            events = remove_events_before(connection, now - EVENTS_KEPT)
            expired = remove_expired(connection, now)
        tiles.supersede(removed)
        sweep(state, tiles)
    return Forgotten(len(removed), runs, scores, events, expired)


def _forget_scores(connection: Connection, now: datetime, retention: Retention) -> int:
    # Scores are about all accounts at once, so the setting for all of them decides.
    if not retention.days:
        return 0
    return remove_scores_before(connection, now - timedelta(days=retention.days))
