"""Backups with writers running, and `kill -9` during a backup and a restore."""

import random
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Semaphore, Thread
from typing import Any

import numpy as np
import pytest

from compute_optimizer.interfaces import SystemClock
from compute_optimizer.jobs.analyze import analyze
from compute_optimizer.jobs.backup import BackupRequest, back_up
from compute_optimizer.jobs.restore import RestoreRequest, restore
from compute_optimizer.model.metrics import Window
from compute_optimizer.store import State, inventory
from compute_optimizer.store.tiles import TileStore, read_samples, tile_paths
from tests.enrolling import ALPHA, BETA, Desk, opt_in
from tests.every_table import every_row
from tests.forked import NEVER, changes_of_files, ended, forked
from tests.states import FreshUrl
from tests.stored_fleets import CPU, LAST_DAY, store_fleet
from tests.waiting import SECONDS, wait_until

SEED = 36
MOMENTS = 8
"""At which a backup, and a restore, is killed."""

DAYS = 3
TODAY = Window(LAST_DAY, LAST_DAY)


def silently(_what: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture
def tiles(tmp_path: Path) -> TileStore:
    return TileStore(tmp_path / "data" / "tiles")


@contextmanager
def repeating(errors: list[BaseException], *actions: Any) -> Iterator[Event]:
    """Run each action again and again, in a thread of its own, until the block ends."""
    enough = Event()

    def run(action: Any) -> None:
        number = 0
        while not enough.is_set():
            try:
                action(number)
            except BaseException as error:
                errors.append(error)
                return
            number += 1

    threads = [Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    try:
        yield enough
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def test_backups_while_others_import_analyze_and_enroll_are_each_of_one_moment(
    fresh_url: FreshUrl, fresh_sqlite: FreshUrl, tiles: TileStore, tmp_path: Path
) -> None:
    url = fresh_url()
    with closing(State(url)) as state:
        desk = opt_in(state, ALPHA, BETA)
        store_fleet(state, tiles, ALPHA, cpu=[1.0] * 3, days=DAYS)
        # An import writes a level of CPU to all days, so that a mixture of two would show.
        writers, imported = [State(url) for _ in range(3)], Semaphore(0)

        def take(number: int) -> None:
            store_fleet(writers[0], tiles, ALPHA, cpu=[2.0 + number] * 3, days=DAYS)
            imported.release()

        def advise(_number: int) -> None:
            analyze(writers[1], tiles, desk.clock, workers=1)

        def enroll(number: int) -> None:
            other = Desk(writers[2], desk.clock)
            (other.opt_in if number % 2 else other.opt_out)(BETA)
            other.settle()

        errors: list[BaseException] = []
        with repeating(errors, take, advise, enroll):
            for number in range(4):
                request = BackupRequest(tmp_path / f"{number}")
                back_up(state, tiles, SystemClock(), request, silently)
                if number == 0:
                    wait_for_a_whole(imported)
        for writer in writers:
            writer.close()

    assert errors == []
    seen = [levels_in(tmp_path / f"{number}", fresh_sqlite(), tmp_path) for number in range(4)]
    assert all(len(one) == 1 for one in seen), seen
    assert len(set().union(*seen)) > 1, "nothing was written meanwhile"


def wait_for_a_whole(import_ended: Semaphore) -> None:
    """Wait for the end of an import that begins after now: the second end from now on."""
    while import_ended.acquire(blocking=False):
        pass
    for _ in range(2):
        assert import_ended.acquire(timeout=SECONDS), "nothing is imported"


def levels_in(backup: Path, url: str, folder: Path) -> set[float]:
    """Restore a backup and return every level of CPU in it."""
    with closing(State(url)) as state:
        tiles = TileStore(folder / f"restored-{backup.name}")
        restore(state, tiles, RestoreRequest(backup, folder / "key"), silently)
        with state.reading() as connection:
            (key,) = inventory.shards(connection)
            assert len(tile_paths(connection)) == DAYS
            first = min(day for _, day in tile_paths(connection))
            samples = read_samples(connection, tiles, key, Window(first, LAST_DAY), [CPU])
    return set(map(float, np.unique(samples.series[CPU])))


@pytest.fixture
def folder(tmp_path: Path, tiles: TileStore) -> Path:
    """A data folder with one machine."""
    with closing(State(f"sqlite:///{tmp_path / 'data' / 'state.db'}")) as state:
        state.migrate()
        opt_in(state, ALPHA)
        store_fleet(state, tiles, ALPHA, days=DAYS)
    return tmp_path / "data"


@pytest.fixture
def killed_at(tmp_path: Path) -> Callable[..., int]:
    """Run a command that dies at its n-th change of a file, and return how it ended."""
    said = tmp_path / "said"

    def run(number: int, *words: str) -> int:
        code = ended(forked(said, *words, dies_at=number, of=changes_of_files), SECONDS)
        assert code in (0, -signal.SIGKILL), said.read_text()
        return code

    return run


def content(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return all rows, and the content of every tile that the state names."""
    with closing(State(f"sqlite:///{folder / 'state.db'}")) as state:
        state.migrate()
        with state.reading() as connection:
            rows, paths = every_row(connection), tile_paths(connection).values()
    current = folder / "tiles" / "current"
    return rows, {path: (current / path).read_bytes() for path in paths}


def test_a_killed_backup_is_no_backup_and_the_next_one_is_whole(
    folder: Path, tmp_path: Path, killed_at: Callable[..., int]
) -> None:
    before = content(folder)
    target = tmp_path / "kept"
    for number in random.Random(SEED).sample(range(30), MOMENTS):
        if killed_at(number, "backup", str(target), "--data-dir", str(folder)):
            # It was renamed before it died, and is whole then; or it is not there.
            assert not target.exists() or content(target) == before
        shutil.rmtree(target, ignore_errors=True)

    assert killed_at(NEVER, "backup", str(target), "--data-dir", str(folder)) == 0
    assert content(target) == before == content(folder)
    assert not list(tmp_path.glob(".*")) and not (folder / "tiles" / "pinned").exists()


@pytest.mark.parametrize("filled", [False, True])
def test_a_killed_restore_leaves_the_former_data_or_the_restored(
    folder: Path, tmp_path: Path, killed_at: Callable[..., int], filled: bool
) -> None:
    target, kept = tmp_path / "target", tmp_path / "kept"
    assert killed_at(NEVER, "backup", str(kept), "--data-dir", str(folder)) == 0
    wanted = content(folder)
    former = other_data(tmp_path / "former") if filled else None
    for number in random.Random(SEED).sample(range(25), MOMENTS):
        shutil.rmtree(target, ignore_errors=True)
        if former:
            shutil.copytree(tmp_path / "former", target)
        words = ["restore", str(kept), "--data-dir", str(target)]
        killed_at(number, *words, *(["--overwrite"] if filled else []))
        found = content(target)
        assert found in (wanted, former) or (not filled and not any_rows(found[0]))

    assert killed_at(NEVER, *words, "--overwrite") == 0
    assert content(target) == wanted
    on_disk = {one.name for one in (target / "tiles" / "current").rglob("*.parquet")}
    assert on_disk == {Path(one).name for one in wanted[1]}


def other_data(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    with closing(State(f"sqlite:///{folder / 'state.db'}")) as state:
        state.migrate()
        store_fleet(state, TileStore(folder / "tiles"), BETA, days=2)
    return content(folder)


def any_rows(rows: dict[str, Any]) -> bool:
    return any(rows[name] for name in rows if name != "sealing_keys")


def test_a_serving_process_answers_from_the_restored_state(
    folder: Path, tmp_path: Path, killed_at: Callable[..., int]
) -> None:
    kept, at = str(tmp_path / "kept"), ("--data-dir", str(folder))
    assert killed_at(NEVER, "backup", kept, *at) == 0
    with closing(State(f"sqlite:///{folder / 'state.db'}")) as state:
        assert Desk(state).status(ALPHA)["status"] == "Active"
        Desk(state).opt_out(ALPHA)
        assert Desk(state).status(ALPHA)["status"] == "Inactive"

        assert killed_at(NEVER, "restore", kept, "--overwrite", *at) == 0

        wait_until(lambda: Desk(state).status(ALPHA)["status"] == "Active")
