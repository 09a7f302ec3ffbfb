"""`kill -9` during an import: the view is the one before or the one after, never another."""

import random
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compute_optimizer.jobs.ingest import ImportRequest, ingest
from compute_optimizer.model.metrics import MetricKey, Statistic, Window
from compute_optimizer.store import State, inventory
from compute_optimizer.store.tiles import TileStore, read_samples, tile_paths
from tests.enrolling import MANAGEMENT, Desk
from tests.forked import Forked, ended, forked, renames_of_tiles
from tests.records import FixedClock
from tests.traces import write_inventory
from tests.waiting import SECONDS

SEED = 9
MOMENTS = 12
"""Random moments at which a run is killed, besides the one before each change of a file's name."""

FIRST, DAYS = datetime(2026, 1, 30, tzinfo=UTC), 4
WINDOW = Window(date(2026, 1, 30), date(2026, 2, 2))
EVERY = [
    MetricKey("CPUUtilization", Statistic.MAXIMUM),
    MetricKey("NetworkIn", Statistic.SUM),
]

View = tuple[list[str], dict[str, list[bytes]]]
"""ARNs of the inventory, and the samples of every series as bytes."""


@dataclass(frozen=True)
class Folder:
    """A data folder, and the files to import into it."""

    data: Path
    fleet: Path
    metrics: Path

    @property
    def state_url(self) -> str:
        return f"sqlite:///{self.data / 'state.db'}"

    @property
    def tiles(self) -> TileStore:
        return TileStore(self.data / "tiles")

    @property
    def words(self) -> list[str]:
        files = ["--inventory", str(self.fleet), "--metrics", str(self.metrics)]
        return ["import", *files, "--data-dir", str(self.data)]

    @property
    def said(self) -> Path:
        """What a command on the folder prints."""
        return self.data.with_name(f"{self.data.name}-said")

    def copy(self, data: Path) -> "Folder":
        shutil.copytree(self.data, data)
        return Folder(data, self.fleet, self.metrics)

    def take(self) -> None:
        """Import in this process."""
        state = State(self.state_url)
        request = ImportRequest(inventory=self.fleet, metrics=(self.metrics,))
        ingest(state, self.tiles, FixedClock(), request)
        state.close()

    def view(self) -> View:
        """Return what readers see."""
        state = State(self.state_url)
        with state.reading() as connection:
            arns = [one.arn for one in inventory.placements(connection)]
            (key,) = inventory.shards(connection)
            samples = read_samples(connection, self.tiles, key, WINDOW, EVERY)
        state.close()
        return arns, {key.column: [m.tobytes()] for key, m in samples.series.items()}

    def unnamed_files(self) -> list[str]:
        """Return files that are neither in the manifest nor kept for readers of before."""
        state = State(self.state_url)
        with state.reading() as connection:
            named = set(tile_paths(connection).values())
        state.close()
        root = self.tiles.root
        files = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        known = {f"current/{path}" for path in named} | {"import.lock"}
        return [one for one in files if one not in known and not one.startswith("superseded/")]


def write_metrics(path: Path, machines: int, first: datetime, days: int, seed: int) -> Path:
    generator = np.random.default_rng(seed)
    slots = days * 288
    moments = [first + timedelta(minutes=5 * slot) for slot in range(slots)]
    columns = {
        "resource": np.repeat([f"i-{number}" for number in range(machines)], slots),
        "timestamp": pa.array(moments * machines),
        "CPUUtilization_Maximum": generator.uniform(0, 100, slots * machines),
        "NetworkIn": generator.uniform(0, 1e9, slots * machines),
    }
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Forty machines with two days, about to become sixty with four: some of it is corrected."""
    folder = tmp_path_factory.mktemp("killed")
    (folder / "data").mkdir()
    filled = Folder(
        folder / "data",
        write_inventory(folder / "40.csv", [f"i-{n}" for n in range(40)], "m5.large"),
        write_metrics(folder / "40.parquet", 40, FIRST, 2, seed=1),
    )
    state = State(filled.state_url)
    state.migrate()
    desk = Desk(state)
    desk.organize()
    desk.opt_in(MANAGEMENT)
    desk.settle()
    state.close()
    filled.take()
    filled.tiles.root.joinpath("import.lock").unlink()
    return Folder(
        filled.data,
        write_inventory(folder / "60.csv", [f"i-{n}" for n in range(60)], "c5.large"),
        write_metrics(folder / "60.parquet", 60, FIRST + timedelta(days=1), 3, seed=2),
    )


@dataclass(frozen=True)
class Whole:
    """An import that nobody killed."""

    view: View
    seconds: float
    """From taking the lock to the end of the process."""


@pytest.fixture(scope="module")
def whole(before: Folder, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = before.copy(tmp_path_factory.mktemp("whole") / "data")
    process = started(folder)
    start = locked_at(folder, process)
    assert ended(process, SECONDS) == 0, folder.said.read_text()
    return Whole(folder.view(), monotonic() - start)


def started(folder: Folder, **options: Any) -> Forked:
    return forked(folder.said, *folder.words, **options)


def locked_at(folder: Folder, process: Forked) -> float:
    """Return when the process took the lock, waiting for it."""
    lock = folder.tiles.root / "import.lock"
    latest = monotonic() + SECONDS
    while not lock.exists():
        assert process.exitcode is None, folder.said.read_text()
        assert monotonic() < latest, "the import did not start"
        sleep(0.002)
    return monotonic()


def check_after_a_kill(folder: Folder, before: View, after: View) -> bool:
    """Check the view, the next import and what it sweeps; return whether the view was new."""
    seen = folder.view()
    assert seen in (before, after)
    folder.take()
    assert folder.view() == after
    assert folder.unnamed_files() == []
    return seen == after


def moments() -> Iterator[float]:
    """Yield shares of a run: one at random in each of equal parts."""
    generator = random.Random(SEED)
    yield from ((part + generator.random()) / MOMENTS for part in range(MOMENTS))


@pytest.mark.parametrize("share", [round(one, 3) for one in moments()])
def test_killed_at_a_random_moment(
    before: Folder, whole: Whole, tmp_path: Path, share: float
) -> None:
    folder = before.copy(tmp_path / "data")
    process = started(folder)
    locked_at(folder, process)
    sleep(share * whole.seconds)
    process.kill()

    # A run that was faster than the one measured has ended by itself.
    assert ended(process, SECONDS) in (-signal.SIGKILL, 0)
    check_after_a_kill(folder, before.view(), whole.view)


def test_killed_before_every_change_of_a_name(before: Folder, whole: Whole, tmp_path: Path) -> None:
    """Three staged tiles move in, the transaction commits, and one replaced tile moves out."""
    new: list[bool] = []
    for number in range(4):
        folder = before.copy(tmp_path / str(number))
        process = started(folder, dies_at=number, of=renames_of_tiles)
        assert ended(process, SECONDS) == -signal.SIGKILL, (number, folder.said.read_text())
        new.append(check_after_a_kill(folder, before.view(), whole.view))

    assert new == [False, False, False, True]


def test_a_killed_import_lets_go_of_the_lock(before: Folder, tmp_path: Path) -> None:
    folder = before.copy(tmp_path / "data")
    process = started(folder)
    locked_at(folder, process)
    process.kill()
    ended(process, SECONDS)

    with folder.tiles.locked():
        pass
