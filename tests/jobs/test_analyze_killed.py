"""Analyses that are killed: what readers see then, and what is left behind."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.recommend import by_savings
from compute_optimizer.store import State
from compute_optimizer.store.schema import recommendations, runs
from compute_optimizer.store.tiles import TileStore
from tests.enrolling import ALPHA, BETA, Desk, opt_in
from tests.records import REGION
from tests.stored_fleets import BUSY, QUIET, store_fleet
from tests.waiting import wait_until

MIDNIGHT = datetime(2026, 3, 15, tzinfo=UTC)
"""The end of the stored days."""

KILLS = 12
SEED = 4
FLEETS = [(account, region) for account in (ALPHA, BETA) for region in (REGION, "eu-west-1")]
MACHINES = 25
LEVELS = (QUIET, BUSY, 30.0, 50.0, 70.0) * (MACHINES // 5)

SPAWNER = """
import os, sys
import pydantic
import compute_optimizer.cli.analyze
from compute_optimizer import cli
from compute_optimizer.jobs.executors import local

for line in sys.stdin:
    if (child := os.fork()) == 0:
        os.setpgid(0, 0)
        per_process, *sys.argv = line.split()
        local.RESOURCES_PER_PROCESS = int(per_process)
        cli.main()
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Runs the command line in a process of its own for each line of words, importing once.

Commands are imported when they are typed: the one that is typed here is named, and so is what
typer imports when it is first used.
"""


@contextmanager
def spawner() -> Iterator[Any]:
    command = [sys.executable, "-c", SPAWNER]
    pipes: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
    }
    with subprocess.Popen(command, text=True, cwd=Path(__file__).parents[2], **pipes) as process:
        yield process


def start(process: Any, folder: Path, as_of: datetime, *, per_process: int = 10_000) -> int:
    """Start an analysis and return its process id."""
    words = [per_process, "compute-optimizer", "analyze", "--data-dir", folder]
    words += ["--as-of", as_of.isoformat(), "--workers", 2]
    process.stdin.write(" ".join(map(str, words)) + "\n")
    process.stdin.flush()
    return next_number(process)


def next_number(process: Any) -> int:
    """Return the next line that the spawner itself printed, not the analysis."""
    return next(int(line) for line in process.stdout if line.strip().lstrip("-").isdigit())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with four shards in two accounts."""
    with closing(State(f"sqlite:///{tmp_path / 'state.db'}")) as state:
        state.migrate()
        opt_in(state, ALPHA, BETA)
        for account, region in FLEETS:
            store_fleet(state, TileStore(tmp_path / "tiles"), account, region, cpu=LEVELS)
    return tmp_path


def whole_view(folder: Path) -> datetime:
    """Assert that everything visible is one whole analysis, and return the moment that it is of."""
    with closing(State(f"sqlite:///{folder / 'state.db'}")) as state:
        with state.reading() as connection:
            found = by_savings(connection)
        assert len(found) == len(FLEETS) * MACHINES
        (moment,) = {one.last_refresh for one in found}
    return moment


def test_killed_at_any_moment_the_view_is_the_former_or_the_new_one(folder: Path) -> None:
    chance = random.Random(SEED)
    with spawner() as process:
        former = MIDNIGHT - timedelta(hours=KILLS + 1)
        start(process, folder, former)
        assert next_number(process) == 0
        began = monotonic()
        start(process, folder, former)
        assert next_number(process) == 0
        duration = monotonic() - began
        survived = 0
        for number in range(KILLS):
            attempt = MIDNIGHT - timedelta(hours=KILLS - number)
            child = start(process, folder, attempt)
            # One moment in each part of the duration.
            sleep(duration * (number + chance.random()) / KILLS)
            with suppress(ProcessLookupError):  # it may have ended by itself
                os.kill(child, signal.SIGKILL)
            ended = next_number(process)
            visible = whole_view(folder)
            assert visible == attempt if ended == 0 else visible in {former, attempt}
            survived += visible == attempt
            former = visible
        start(process, folder, MIDNIGHT)
        assert next_number(process) == 0
    assert whole_view(folder) == MIDNIGHT
    assert survived < KILLS
    assert_swept(folder)


def assert_swept(folder: Path) -> None:
    """Assert that an analysis some days later leaves no rows but those of two runs."""
    with closing(State(f"sqlite:///{folder / 'state.db'}")) as state:
        desk = Desk(state)
        desk.clock.moment = datetime.now(UTC) + timedelta(days=3)
        latest = analyze(state, TileStore(folder / "tiles"), desk.clock, workers=1, as_of=MIDNIGHT)
        with state.reading() as connection:
            kept = connection.execute(runs.select()).all()
            rows = connection.execute(recommendations.select()).all()
    assert latest.run_id in {one.run_id for one in kept}
    assert len(kept) == 2
    assert len(rows) == 2 * len(FLEETS) * MACHINES


def test_the_other_processes_end_with_a_killed_one(folder: Path) -> None:
    with spawner() as process:
        child = start(process, folder, MIDNIGHT, per_process=1)
        wait_until(lambda: len(members(child)) > 1)
        os.kill(child, signal.SIGKILL)
        next_number(process)
        wait_until(lambda: not members(child))


def members(group: int) -> list[int]:
    """Return the living processes of a process group."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # After the name in parentheses: state, parent, process group.
            state, _, its_group = file.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                found.append(int(file.parent.name))
    return found
