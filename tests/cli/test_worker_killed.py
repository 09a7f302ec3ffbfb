"""Two workers as processes, of which one is killed or stopped at random moments."""

import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from time import sleep

import pytest
from sqlalchemy import select

from compute_optimizer.interfaces import SystemClock
from compute_optimizer.model.job_run import JobRun, Outcome
from compute_optimizer.store import State
from compute_optimizer.store.job_runs import runs_of
from compute_optimizer.store.schema import recommendations, runs
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, opt_in
from tests.forked import Running, running
from tests.stored_fleets import BUSY, QUIET, store_fleet
from tests.waiting import wait_until

SEED = 20
ENDINGS = (signal.SIGKILL, signal.SIGINT)
MACHINES = 40
LATEST = 1.0
"""Seconds after a worker has begun to work: some analyses long."""

Start = Callable[[], Running]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """A data folder with a fleet whose samples reach to yesterday."""
    with closing(State(f"sqlite:///{tmp_path / 'state.db'}")) as state:
        state.migrate()
        opt_in(state, ALPHA)
        yesterday = SystemClock().now().date() - timedelta(days=1)
        cpu = (QUIET, BUSY) * (MACHINES // 2)
        store_fleet(state, TileStore(tmp_path / "tiles"), ALPHA, cpu=cpu, last=yesterday)
        yield state


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a worker that analyzes every second; whatever still runs at the end is ended."""
    words = ("worker", "--job", "analysis", "--port", "0", "--data-dir", str(tmp_path))
    settings = {"schedule_analysis": "1s", "lease_seconds": "2", "workers": "1"}
    with ExitStack() as stack:
        yield lambda: stack.enter_context(running(*words, **settings))


def until_it_works(process: Running) -> None:
    assert "metrics on" in process.err.readline()
    assert "runs analysis" in process.err.readline()


def known(state: State) -> list[JobRun]:
    with state.reading() as connection:
        return runs_of(connection, "analysis")


def until(state: State, wanted: Callable[[list[JobRun]], bool]) -> list[JobRun]:
    return wait_until(
        lambda: found if wanted(found := known(state)) else None, lambda: known(state)
    )


def published(state: State) -> list[str]:
    """Return the runs that became visible; each holds all machines."""
    with state.reading() as connection:
        done = runs.c.completed_at.is_not(None)
        found = list(connection.execute(select(runs.c.run_id).where(done)).scalars())
        rows = Counter(connection.execute(select(recommendations.c.run_id)).scalars())
    assert {rows[one] for one in found} == {MACHINES}
    return found


def test_killed_and_stopped_workers_lose_nothing_and_nothing_is_published_twice(
    state: State, start: Start
) -> None:
    chance = random.Random(SEED)
    survivor = start()
    until_it_works(survivor)
    for ending in ENDINGS:
        victim = start()
        until_it_works(victim)
        sleep(chance.uniform(0, LATEST))
        victim.send(ending)
        assert victim.wait() == (-ending if ending is signal.SIGKILL else 0)
        # Whatever the victim held passes to the survivor within the lease.
        count = len(known(state))
        until(state, lambda found, count=count: len(found) > count + 1)  # type: ignore[misc]
    survivor.send(signal.SIGTERM)

    assert survivor.wait() == 0
    found = known(state)
    assert one_after_the_other(found)
    # One run was published for every one that succeeded: none twice, none without a record.
    succeeded = [one for one in found if one.outcome is Outcome.SUCCEEDED]
    assert len(published(state)) == len(succeeded) >= len(ENDINGS)
    # Successful runs begin a second apart, whichever worker does them.
    due = [one.due_at for one in succeeded]
    assert all(after - before >= timedelta(seconds=1) for before, after in pairwise(due))


def one_after_the_other(found: list[JobRun]) -> bool:
    return all(
        before.finished_at is not None and before.finished_at <= after.started_at
        for before, after in pairwise(found)
    )
